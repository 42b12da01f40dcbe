"""A webhook as it is usually written: look, then write what it says. A control that must lose."""

from audit import clock
from executors.enums import ExecutionStatus as S
from executors.models import Execution, Scan
from tests.races.naive import TooLateError


def answer(execution_id: str) -> S:
    """The answer to the request came: if it is still running, it succeeded."""
    if Execution.objects.get(pk=execution_id).status != S.RUNNING:
        raise TooLateError
    return put(execution_id, S.SUCCEEDED)


def believe(execution_id: str) -> S:
    """An event says that the refund failed: write that down, whatever was there."""
    Execution.objects.get(pk=execution_id)
    return put(execution_id, S.REVERSED)


def take(event_id: str) -> int:
    """Keep an event once: look whether it is known, then insert it.

    A table without a unique constraint, for a constraint would be no look.
    """
    if Scan.objects.filter(action=event_id).exists():
        raise TooLateError
    at = clock.now()
    return int(
        Scan.objects.create(
            action=event_id, account="naive", since=at, until=at, listed=0, finished_at=at
        ).pk
    )


def put(execution_id: str, status: S) -> S:
    """Write a status past everything."""
    at = clock.now()
    Execution.objects.filter(pk=execution_id).update(
        status=status,
        finished_at=None if status == S.RUNNING else at,
        lease_expires_at=at if status == S.RUNNING else None,
        receipt=None if status == S.RUNNING else {"reference": "tr_1"},
    )
    return status
