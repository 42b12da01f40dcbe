"""The same verbs as they are usually written: look, then write. Controls that must lose.

If the harness did not catch these, it would prove nothing about ours.
"""

from approvals.enums import RequestStatus
from approvals.models import ApprovalRequest, Refusal
from audit import clock

#: Which time belongs to which end.
_TIMES = {
    RequestStatus.APPROVED: "decided_at",
    RequestStatus.APPROVED_WITH_MODIFICATIONS: "decided_at",
    RequestStatus.REJECTED: "decided_at",
    RequestStatus.WITHDRAWN: "withdrawn_at",
    RequestStatus.EXPIRED: "expired_at",
}


class TooLateError(Exception):
    """It is no longer pending, as far as this look tells."""


def end(request_id: str, status: RequestStatus) -> RequestStatus:
    """End a pending request: look at its status, then save the row as it was seen."""
    request = ApprovalRequest.objects.get(pk=request_id)
    if not request.is_pending:
        raise TooLateError
    at = clock.now()
    times = dict.fromkeys(_TIMES.values())
    ApprovalRequest.objects.filter(pk=request_id).update(
        **times | {_TIMES[status]: at}, status=status
    )
    return status


def submit_once(idempotency_key: str) -> int:
    """Store something once per key: look whether it is there, then insert it.

    A table without a unique constraint, for a constraint would be no look.
    """
    if Refusal.objects.filter(subject=idempotency_key).exists():
        raise TooLateError
    return int(
        Refusal.objects.create(
            code="naive", message="", actor="naive", subject=idempotency_key, refused_at=clock.now()
        ).pk
    )
