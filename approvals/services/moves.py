"""One step of the request's state machine: the only place of this floor where its status changes.

(Expiry, which ends many at once, follows the same table in ``ending.expire_due``.)
"""

from datetime import datetime
from typing import Any

from approvals.enums import RequestStatus
from approvals.errors import NotDecidableError
from approvals.models import ApprovalRequest
from approvals.transitions import TRANSITIONS
from audit.actors import Actor
from audit.history import Fact, transition


def move(
    request: ApprovalRequest,
    after: RequestStatus,
    *,
    actor: Actor,
    at: datetime,
    reason: str = "",
    **changes: Any,
) -> None:
    """Take one step of the table, with its history row, in the caller's transaction.

    Raises:
        NotDecidableError: the table has no such step for this kind of actor.
        ConflictError: the row is no longer as the caller read it.
    """
    before = RequestStatus(request.status)
    step = TRANSITIONS.get(before, {}).get(after)
    if step is None or actor.kind not in step.by:
        raise NotDecidableError(
            f"A request that is {before} cannot become {after} by a {actor.kind}."
        )
    transition(
        request,
        Fact(actor=actor, event=step.event, at=at, reason=reason),
        guard={"status": before, "payload_version": request.payload_version},
        changes={"status": after, **changes},
    )
