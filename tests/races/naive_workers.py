"""A worker as it is usually written: it looks at the status, then acts. Controls that must lose.

No lock, no lease, no fence, and no second look before the request leaves.
"""

from datetime import datetime

from audit import clock
from executors.base import Prepared
from executors.enums import ExecutionStatus as S
from executors.models import Execution
from tests.executors.scripted import ScriptedExecutor
from tests.races.naive import TooLateError

_REQUEST = Prepared(method="POST", path="/v1/transfers", body="amount=9500", api_version="1")


def run(execution_id: str, executor: ScriptedExecutor) -> None:
    """Carry it out if it is queued."""
    _look(execution_id, S.QUEUED)
    _write(execution_id, S.RUNNING)
    _send(execution_id, executor)


def finish(execution_id: str, executor: ScriptedExecutor) -> None:
    """Go on with what is running: taken over, or one's own after a pause; who could tell?"""
    _look(execution_id, S.RUNNING)
    _send(execution_id, executor)


def requeue(execution_id: str, executor: ScriptedExecutor) -> None:
    """Sweep: what is not over yet has no worker, so queue it and let one run."""
    _look(execution_id, S.QUEUED, S.RUNNING)
    _write(execution_id, S.QUEUED)
    run(execution_id, executor)


def run_in_time(execution_id: str, executor: ScriptedExecutor, until: datetime) -> None:
    """Carry it out if its time is not over."""
    if clock.now() >= until:
        raise TooLateError
    run(execution_id, executor)


def refuse_expired(execution_id: str, until: datetime) -> None:
    """Refuse what still waits when its time is over."""
    _look(execution_id, S.QUEUED)
    if clock.now() < until:
        raise TooLateError
    _write(execution_id, S.REFUSED)


def reconcile(execution_id: str, executor: ScriptedExecutor) -> None:
    """Write down what the provider shows: that it happened, or that it did not."""
    _look(execution_id, S.RUNNING, S.UNKNOWN)
    happened = bool(executor.sent)
    _write(execution_id, S.SUCCEEDED if happened else S.FAILED)


def put(execution_id: str, status: S) -> None:
    """Bring it on stage again, for the next round."""
    _write(execution_id, status)


def _look(execution_id: str, *statuses: S) -> None:
    if Execution.objects.get(pk=execution_id).status not in statuses:
        raise TooLateError


def _send(execution_id: str, executor: ScriptedExecutor) -> None:
    executor.execute(_REQUEST, "naive")
    _write(execution_id, S.SUCCEEDED)


def _write(execution_id: str, status: S) -> None:
    at = clock.now()
    is_over = status in (S.SUCCEEDED, S.FAILED, S.REFUSED)
    Execution.objects.filter(pk=execution_id).update(
        status=status,
        finished_at=at if is_over else None,
        lease_expires_at=at if status == S.RUNNING else None,
        receipt={"reference": "tr_1"} if status == S.SUCCEEDED else None,
    )
