"""Celery tasks: they take ids, make one call, and may run twice, late or for nothing."""

from typing import Any

from celery import shared_task

from executors import services
from executors.bell import RECONCILE, TASK, ring
from executors.limits import HARD_LIMIT, SOFT_LIMIT, worker_name

__all__ = ["ring", "run", "sweep"]

#: Celery takes fractions of seconds, its type stubs do not.
_LIMITS: dict[str, Any] = {
    "soft_time_limit": SOFT_LIMIT,
    "time_limit": HARD_LIMIT,
    "Request": "executors.deliveries:OwnLimits",
}

#: How many rows one sweep looks at; the next sweep is seconds away.
_SWEEP_LIMIT = 200


@shared_task(name=TASK, **_LIMITS)
def run(*, execution_id: str, **_: Any) -> None:
    """Carry out one execution, if it is due. (The catch-all lets old workers meet new callers.)"""
    services.run(execution_id=execution_id, worker=worker_name())


@shared_task(name="executors.tasks.sweep")
def sweep(**_: Any) -> None:
    """Find what no message announced."""
    services.sweep(limit=_SWEEP_LIMIT)


@shared_task(name=RECONCILE, **_LIMITS)
def reconcile(*, execution_id: str, **_: Any) -> None:
    """Read the provider about one execution. It needs the worker's key: whose account is it?"""
    services.reconcile(execution_id=execution_id, worker=worker_name())


@shared_task(name="executors.tasks.ring_for_readings")
def ring_for_readings(**_: Any) -> None:
    """Find the executions about which the provider should be read again."""
    services.ring_for_readings(limit=_SWEEP_LIMIT)


@shared_task(name="executors.tasks.scan", **_LIMITS)
def scan(**_: Any) -> None:
    """Compare everything at the provider with our record. It needs the worker's key to list."""
    services.scan()
