"""May this person steer executions? (What an execution allows is asked elsewhere.)"""

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Q

from executors.errors import NotPermittedError

STEER = "steer_execution"


def check_may_steer(user: Any) -> None:
    """Check that a person may revoke, hold, release and resolve.

    Only an active person to whom the permission was given, directly or by a group: being a
    superuser counts for nothing here.

    Raises:
        NotPermittedError: in all other cases.
    """
    if not can_steer(user):
        raise NotPermittedError(
            "Only an active member of a group that may steer executions can do that."
        )


def can_steer(user: Any) -> bool:
    """Tell the same, for templates."""
    if not (user.is_authenticated and user.is_active):
        return False
    granted = Q(group__in=user.groups.all()) | Q(pk__in=user.user_permissions.values("pk"))
    steering = Permission.objects.filter(content_type__app_label="executors", codename=STEER)
    return steering.filter(granted).exists()
