"""Celery tasks: they take ids, make one call, and may run twice, late or for nothing."""

import os
import socket
from typing import Any

from celery import shared_task
from django.conf import settings

from executors import services
from executors.bell import RECONCILE, TASK, ring

__all__ = ["ring", "run", "sweep"]

#: Soft, then hard, then the lease: when another worker may take over, this one is dead for sure.
#: The soft limit leaves room for reading the provider and for its own timeouts (5 + 25 s).
SOFT_LIMIT = settings.COUNTERSIGN_LEASE * 76 // 100
HARD_LIMIT = settings.COUNTERSIGN_LEASE * 88 // 100

#: How many rows one sweep looks at; the next sweep is seconds away.
_SWEEP_LIMIT = 200


@shared_task(name=TASK, soft_time_limit=SOFT_LIMIT, time_limit=HARD_LIMIT)
def run(*, execution_id: str, **_: Any) -> None:
    """Carry out one execution, if it is due. (The catch-all lets old workers meet new callers.)"""
    services.run(execution_id=execution_id, worker=worker_name())


@shared_task(name="executors.tasks.sweep")
def sweep(**_: Any) -> None:
    """Find what no message announced."""
    services.sweep(limit=_SWEEP_LIMIT)


@shared_task(name=RECONCILE, soft_time_limit=SOFT_LIMIT, time_limit=HARD_LIMIT)
def reconcile(*, execution_id: str, **_: Any) -> None:
    """Read the provider about one execution. It needs the worker's key: whose account is it?"""
    services.reconcile(execution_id=execution_id, worker=worker_name())


@shared_task(name="executors.tasks.ring_for_readings")
def ring_for_readings(**_: Any) -> None:
    """Find the executions about which the provider should be read again."""
    services.ring_for_readings(limit=_SWEEP_LIMIT)


@shared_task(name="executors.tasks.scan", soft_time_limit=SOFT_LIMIT, time_limit=HARD_LIMIT)
def scan(**_: Any) -> None:
    """Compare everything at the provider with our record. It needs the worker's key to list."""
    services.scan()


def worker_name() -> str:
    """Return this process's name as the record keeps it: host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"[:120]
