"""The same verbs as they are usually written: look, then write. Controls that must lose.

If the harness did not catch these, it would prove nothing about ours.
"""

from django.db.models import Sum

from approvals.enums import Priority, RequestStatus
from approvals.models import AgentKey, ApprovalRequest
from audit import clock
from executors.models import Scan

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
    """Store something once per key: look whether it is there, then insert it."""
    if Scan.objects.filter(action=idempotency_key).exists():
        raise TooLateError
    return _store(idempotency_key)


def submit_by(key_id: str) -> int:
    """Store something for an agent key: look whether it is revoked, then insert it."""
    if AgentKey.objects.get(pk=key_id).revoked_at is not None:
        raise TooLateError
    return _store(key_id)


def revoke(key_id: str) -> None:
    """Revoke an agent key without waiting for whoever uses it."""
    at = clock.now()
    AgentKey.objects.filter(pk=key_id, revoked_at=None).update(
        revoked_at=at, revoked_by="naive", revoked_reason="Lost."
    )


def save_form(request_id: str) -> None:
    """Save a row as the form of an admin page does: all of it, as it was when it was read."""
    read = ApprovalRequest.objects.filter(pk=request_id).values().get()
    ApprovalRequest.objects.filter(pk=request_id).update(**read | {"priority": Priority.HIGH})


def _store(subject: str) -> int:
    """Insert into a table without a unique constraint, for a constraint would be no look."""
    at = clock.now()
    return int(
        Scan.objects.create(
            action=subject, account="naive", since=at, until=at, listed=0, finished_at=at
        ).pk
    )


def approve_what_fits(request_id: str, of_one_payment: list[str], captured: int) -> int:
    """Approve if it fits beside what is approved already: add that up, then write.

    One request is not approved twice; what nobody looks after is the payment.
    """
    approved = ApprovalRequest.objects.filter(
        pk__in=of_one_payment, status=RequestStatus.APPROVED
    ).aggregate(total=Sum("amount_minor"))["total"]
    request = ApprovalRequest.objects.get(pk=request_id)
    if (approved or 0) + (request.amount_minor or 0) > captured:
        raise TooLateError
    pending = ApprovalRequest.objects.filter(pk=request_id, status=RequestStatus.PENDING)
    if pending.update(status=RequestStatus.APPROVED, decided_at=clock.now()) != 1:
        raise TooLateError
    return request.amount_minor or 0
