"""What becomes of an execution that does not go on: held, refused, unknown, or later again."""

from datetime import datetime, timedelta

from django.db import transaction

from audit import clock
from audit.actors import Actor
from audit.alarms import raise_alarm
from executors.enums import AttemptClass, EventType
from executors.enums import ExecutionStatus as S
from executors.errors import ExecutorError, ProviderError, RefusedError
from executors.models import Execution
from executors.services.moves import lock_claimed, move

#: Seconds before the second try; doubled for each further one.
_FIRST_DELAY = 2
#: Longest wait, in seconds: an outage of minutes should not cost an hour afterwards.
_LONGEST_DELAY = 300
#: Longest time, in seconds, between two looks at what an operator has to repair.
_LONGEST_HELD = 3600
#: Why an execution is held that no person holds: the operator mends it outside the gate, an agent
#: is resumed upstairs, or a check could not be asked. Each try asks everything again.
_REPAIRED_OUTSIDE = frozenset(
    {
        "wrong_account",
        "unknown_key",
        "key_file",
        "not_yet_valid",
        "agent_suspended",
        "check_failed",
    }
)


def stop(execution: Execution, error: ExecutorError, *, actor: Actor, at: datetime) -> None:
    """Stop a locked execution because of an objection (``RefusedError``, else it is held).

    While nothing can have left it becomes REFUSED or HELD. Once a request may have left, it can
    be neither: what must never run any more is UNKNOWN, and what is only held up waits, with the
    same bytes, until its time is over.
    """
    if isinstance(error, RefusedError):
        give_up(execution, error, actor=actor, at=at)
    elif execution.ambiguous:
        put_off(execution, error, actor=actor, at=at, delay=_LONGEST_DELAY)
    else:
        move(
            execution,
            S.HELD,
            actor=actor,
            at=at,
            reason=error.message,
            error_code=error.code,
            error_message=error.message,
            held_by_id=getattr(error, "hold_id", None),
            next_attempt_at=_look_again(execution, error, at),
        )


def _look_again(execution: Execution, error: ExecutorError, at: datetime) -> datetime | None:
    """Return when a held execution is tried again by itself; None when it waits for a person.

    What is repaired outside (a key, an account, a file, a clock) tells nobody that it was: so the
    sweeper tries after five minutes, then after half as long as it has waited, at least hourly.
    """
    if not _is_repaired_outside(error):
        return None
    waited = (at - execution.queued_at).total_seconds()
    delay = min(max(waited / 2, _LONGEST_DELAY), _LONGEST_HELD)
    return at + timedelta(seconds=delay)


def _is_repaired_outside(error: ExecutorError) -> bool:
    if isinstance(error, ProviderError):
        return error.attempt_class == AttemptClass.CONFIGURATION
    return error.code in _REPAIRED_OUTSIDE


def give_up(execution: Execution, error: ExecutorError, *, actor: Actor, at: datetime) -> None:
    """End a locked execution: REFUSED when nothing can have left, else UNKNOWN and an alarm."""
    if execution.ambiguous:
        raise_alarm("outcome_unknown", error.message, subject=execution.pk)
    move(
        execution,
        S.UNKNOWN if execution.ambiguous else S.REFUSED,
        actor=actor,
        at=at,
        reason=error.message,
        error_code=error.code,
        error_message=error.message,
    )


def put_off(
    execution: Execution,
    error: ExecutorError,
    *,
    actor: Actor,
    at: datetime,
    delay: int,
) -> None:
    """Give up the lease of a locked execution and come back ``delay`` seconds later.

    Never later than its ``exp``: the claim at that moment ends it, since nothing may be sent then.
    """
    move(
        execution,
        S.RUNNING,
        event=EventType.EXECUTION_RETRY,
        actor=actor,
        at=at,
        reason=error.message,
        lease_expires_at=None,
        next_attempt_at=min(at + timedelta(seconds=delay), max(at, execution.expires_at)),
        error_code=error.code,
        error_message=error.message,
    )


def put_back(execution: Execution, error: ExecutorError, *, actor: Actor, at: datetime) -> None:
    """Queue a locked execution again of which nothing was sent: a person can still revoke it."""
    move(
        execution,
        S.QUEUED,
        actor=actor,
        at=at,
        reason=error.message,
        next_attempt_at=at + timedelta(seconds=delay_after(execution.fence)),
        error_code=error.code,
        error_message=error.message,
    )


def stop_claimed(claimed: Execution, error: ExecutorError, *, actor: Actor) -> None:
    """Stop an execution that this worker has claimed, in a transaction of its own."""
    with transaction.atomic():
        execution = lock_claimed(claimed)
        stop(execution, error, actor=actor, at=clock.now())


def put_off_claimed(claimed: Execution, error: ExecutorError, *, actor: Actor) -> None:
    """Come back to a claimed execution later, because the provider could not be read."""
    with transaction.atomic():
        execution = lock_claimed(claimed)
        at = clock.now()
        if execution.ambiguous:
            delay = delay_after(execution.attempts.count())
            put_off(execution, error, actor=actor, at=at, delay=delay)
        else:
            put_back(execution, error, actor=actor, at=at)


def delay_after(tries: int) -> int:
    """Return how many seconds to wait after so many tries: 2, 4, 8 … and at most 300."""
    doublings = min(max(tries, 1), 10) - 1
    return int(min(_FIRST_DELAY * 2**doublings, _LONGEST_DELAY))
