"""May this person steer executions? (What an execution allows is asked elsewhere.)"""

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Q

from executors.errors import NotPermittedError

STEER = "steer_execution"
SET_HOLD = "set_hold"


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
    return _was_given(user, STEER)


def can_lift_holds(user: Any) -> bool:
    """Tell whether a person may lift a hold, which lets money move again.

    As with steering, being a superuser counts for nothing; to set a hold it is enough.
    """
    return _was_given(user, SET_HOLD)


def _was_given(user: Any, codename: str) -> bool:
    if not (user.is_authenticated and user.is_active):
        return False
    granted = Q(group__in=user.groups.all()) | Q(pk__in=user.user_permissions.values("pk"))
    wanted = Permission.objects.filter(content_type__app_label="executors", codename=codename)
    return wanted.filter(granted).exists()
