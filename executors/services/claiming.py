"""Taking an execution: a lease for a while, and a fence number for ever."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from audit import actors, clock, failpoints
from audit.actors import Actor
from executors.enums import AttemptClass
from executors.enums import ExecutionStatus as S
from executors.errors import HeldError, RefusedError
from executors.models import Execution
from executors.services.clearance import clear
from executors.services.moves import lock_if_free, move
from executors.services.stopping import stop


def claim(*, execution_id: str, worker: str) -> Execution | None:
    """Take an execution that is due, or stop it if something objects.

    Due is what is QUEUED, and what is RUNNING with a lease that lapsed or a retry whose time has
    come. The fence grows with every claim, so that whoever had it before writes nothing any more.

    Returns:
        The execution, RUNNING and ours until ``lease_expires_at``; or None when there is nothing
        to do at present: over, not due, in another process's hands, or stopped just now.
    """
    actor = actors.worker(worker)
    with transaction.atomic():
        execution = lock_if_free(execution_id)
        if execution is None:
            return None
        at = clock.now()
        if not is_due(execution, at):
            return None
        close_lost_attempts(execution, at)
        try:
            clear(execution, at=at)
        except (RefusedError, HeldError) as objection:
            stop(execution, objection, actor=actor, at=at)
            return None
        _take(execution, worker=worker, actor=actor, at=at)
        failpoints.reached("claim:written")
        return execution


def is_due(execution: Execution, at: datetime) -> bool:
    """Tell whether a worker may take it at this instant."""
    if execution.status not in (S.QUEUED, S.RUNNING):
        return False
    if execution.lease_expires_at is not None:
        return execution.lease_expires_at <= at
    return execution.next_attempt_at is None or execution.next_attempt_at <= at


def close_lost_attempts(execution: Execution, at: datetime) -> None:
    """End the tries whose worker never came back: their request may have left.

    Changes ``ambiguous`` on the locked row only in memory; the step that follows saves it.
    """
    lost = execution.attempts.filter(ended_at__isnull=True).update(
        ended_at=at,
        outcome=AttemptClass.AMBIGUOUS,
        error_code="worker_lost",
        error_message="The worker did not come back from this try.",
    )
    execution.ambiguous = execution.ambiguous or lost > 0


def _take(execution: Execution, *, worker: str, actor: Actor, at: datetime) -> None:
    move(
        execution,
        S.RUNNING,
        actor=actor,
        at=at,
        fence=execution.fence + 1,
        claimed_by=worker,
        claimed_at=at,
        lease_expires_at=at + timedelta(seconds=settings.COUNTERSIGN_LEASE),
        next_attempt_at=None,
    )
