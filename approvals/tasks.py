"""Periodic work of this floor. Each may run twice, late or not at all without harm."""

from typing import Any

from celery import shared_task

from approvals import services
from approvals.errors import ApprovalError

_BATCH = 500
_READS = 50


@shared_task
def expire_requests(**_: Any) -> int:
    """Expire what is past its deadline, batch after batch; return how many."""
    total = 0
    while True:
        count = services.expire_due(limit=_BATCH)
        total += count
        if count < _BATCH:
            return total


@shared_task
def read_missing_facts(**_: Any) -> int:
    """Read the provider for pending requests that have no facts yet; return how many."""
    return sum(_read(request_id) for request_id in services.without_facts(limit=_READS))


def _read(request_id: str) -> bool:
    try:
        return services.refresh_facts(request_id=request_id) is not None
    except ApprovalError:
        # Decided meanwhile, or unknown to the provider: the reviewer sees that there are none.
        return False
