"""May this person? Each check raises with a sentence fit for the screen.

Whether the request allows it is another question, answered in ``rules``.
"""

from datetime import datetime, timedelta

from approvals.enums import EventType
from approvals.errors import NotPermittedError, SelfApprovalError
from approvals.models import ApprovalRequest, User
from audit import actors, clock

#: An account that somebody else has just changed may be in somebody else's hands.
ACCOUNT_REST = timedelta(hours=24)
_TAKEOVER_EVENTS = (EventType.USER_PASSWORD, EventType.USER_GROUPS)
#: Accounts that are made together with the installation's demonstration need no rest.
SEED = actors.system("seed")


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
    changed = (
        user.history.filter(event__in=_TAKEOVER_EVENTS, history_date__gt=at - ACCOUNT_REST)
        .exclude(actor__in=[str(actors.person(user)), str(SEED)])
        .first()
    )
    if changed is not None:
        raise NotPermittedError(
            "Somebody else changed the password or the groups of your account less than 24 hours "
            "ago; until that time has passed you cannot decide.",
            code="account_changed",
        )
