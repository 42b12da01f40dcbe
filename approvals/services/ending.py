"""Requests that end without a decision: taken back, or out of time."""

from django.db import transaction

from approvals import rules
from approvals.enums import EventType, RequestStatus
from approvals.errors import RequestNotFoundError
from approvals.models import ApprovalRequest
from approvals.services.locks import lock_key, lock_request
from approvals.services.moves import move
from audit import actors, clock
from audit.history import Fact, record_many


def withdraw(*, key_id: str, request_id: str) -> ApprovalRequest:
    """Take a pending request back, for the agent that submitted it.

    Raises:
        RequestNotFoundError: there is none, or it is another agent's.
        NotDecidableError: it is no longer pending.
    """
    with transaction.atomic():
        key = lock_key(key_id)
        request = lock_request(request_id)
        if request.agent_id != key.agent_id:
            raise RequestNotFoundError(f"There is no request {request_id!r}.")
        at = clock.now()
        rules.check_pending(request, at)
        agent = actors.agent(key.agent.name)
        move(request, RequestStatus.WITHDRAWN, actor=agent, at=at, withdrawn_at=at)
    return request


def expire_due(*, limit: int = 500) -> int:
    """Expire at most ``limit`` pending requests whose deadline has passed; return how many.

    Rows that somebody is deciding at this moment are left for the next round.
    """
    with transaction.atomic():
        pending = ApprovalRequest.objects.filter(status=RequestStatus.PENDING)
        due = pending.filter(expires_at__lte=clock.now()).order_by("expires_at")
        ids = [row.pk for row in due.select_for_update(skip_locked=True, no_key=True)[:limit]]
        at = clock.now()
        pending.filter(pk__in=ids).update(status=RequestStatus.EXPIRED, expired_at=at)
        expired = ApprovalRequest.objects.filter(pk__in=ids)
        record_many(
            expired,
            Fact(actor=actors.system("expiry"), event=EventType.REQUEST_EXPIRE, at=at),
        )
    return len(ids)
