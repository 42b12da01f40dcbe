"""May this person? Each check raises with a sentence fit for the screen.

Whether the request allows it is another question, answered in ``rules``.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Exists, OuterRef

from approvals.enums import EventType
from approvals.errors import NotPermittedError, SelfApprovalError
from approvals.models import ApprovalRequest, User
from approvals.models.people import DECIDE, INSTALLATION
from audit import actors, clock

#: An account that has just been changed may be in somebody else's hands; and whoever has just been
#: given the right to decide, or has taken it, uses it when others have had a day to see that.
ACCOUNT_REST = timedelta(hours=24)
#: Accounts that are made together with the installation's demonstration need no rest.
SEED = actors.system("seed")
_SET_UP = (str(INSTALLATION), str(SEED))


def check_may_decide(request: ApprovalRequest, user: User, at: datetime) -> None:
    """Refuse a person who may not decide this request.

    Raises:
        SelfApprovalError: the person answers for the agent or its key.
        NotPermittedError: not an active reviewer, or the account was changed within 24 hours.
    """
    if not user.is_reviewer():
        raise NotPermittedError(
            "Only active members of a reviewing group decide; being an administrator is not enough."
        )
    if user.pk in (request.agent.owner_id, request.agent_key.owner_id):
        raise SelfApprovalError(
            "You answer for this agent, so somebody else has to decide its requests."
        )
    _check_account_rested(user, at)


def can_decide(request: ApprovalRequest, user: User) -> bool:
    """Tell the same for a template."""
    try:
        check_may_decide(request, user, clock.now())
    except NotPermittedError:
        return False
    return True


def _check_account_rested(user: User, at: datetime) -> None:
    since = at - ACCOUNT_REST
    changes = user.history.filter(history_date__gt=since).exclude(actor=str(SEED))
    if changes.filter(event=EventType.USER_GROUPS).exists():
        # Whoever did it: a superuser can put themselves into any group.
        raise _not_rested("The groups of your account were changed")
    own = str(actors.person(user))
    if changes.filter(event=EventType.USER_PASSWORD).exclude(actor=own).exists():
        raise _not_rested("Somebody else changed the password of your account")
    if not _could_decide_since(user, since):
        raise _not_rested("Your group was given the right to decide")


def _not_rested(what: str) -> NotPermittedError:
    return NotPermittedError(
        f"{what} less than 24 hours ago; until that time has passed you cannot decide.",
        code="account_changed",
    )


def _could_decide_since(user: User, since: datetime) -> bool:
    """Tell whether one of the person's groups has had the right to decide for long enough."""
    history: Any = Group.history  # type: ignore[attr-defined]  # registered in ``models.people``
    deciding = user.groups.filter(permissions__codename=DECIDE).values("pk")
    with_right = history.filter(
        pk=OuterRef("pk"), historicalgroup_permissions__permission__codename=DECIDE
    )
    rows = history.filter(id__in=deciding).annotate(can=Exists(with_right))
    told = rows.order_by("id", "history_date", "history_id")
    by_group = groupby(told, key=attrgetter("id"))
    return any(not _was_given_right(rows, since) for _, rows in by_group)


def _was_given_right(rows: Iterable[Any], since: datetime) -> bool:
    """Tell whether a group got the right to decide after ``since``, by its history, oldest first.

    What the installation or its demonstration set up counts as having always been so.
    """
    could = False
    for row in rows:
        if row.can and not could and row.history_date > since and row.actor not in _SET_UP:
            return True
        could = row.can
    return False
