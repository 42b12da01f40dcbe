"""The two groups that every installation has, with exactly the permissions that they need."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

from approvals.models.people import AUDITORS, DECIDE, INSTALLATION, REVIEWERS, acting_as

_OURS = Q(content_type__app_label__in=["approvals", "executors", "audit"])
_ACCOUNTS = Q(codename__in=["view_group", "view_permission"])
_VIEW = Q(codename__startswith="view_") & (_OURS | _ACCOUNTS)
_STEER = Q(codename__in=[DECIDE, "steer_execution", "set_hold"])


def ensure(app_config: Any, **_: Any) -> None:
    """Create the groups after a migration; what an operator changed in them stays.

    Runs once all permissions exist, which is after the last app of this project.
    """
    if app_config.name != "audit":
        return
    with transaction.atomic(), acting_as(INSTALLATION):
        _ensure(REVIEWERS, _VIEW | (_OURS & _STEER))
        _ensure(AUDITORS, _VIEW)


def _ensure(name: str, permissions: Q) -> None:
    group, created = Group.objects.get_or_create(name=name)
    if created:
        group.permissions.set(Permission.objects.filter(permissions))
