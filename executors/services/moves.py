"""One step of the state machine: the only place of this floor where a status is written."""

from datetime import datetime
from typing import Any

from django.db import connection

from audit import history
from audit.actors import Actor
from audit.history import Fact
from executors.enums import EventType
from executors.enums import ExecutionStatus as S
from executors.errors import InvalidTransitionError, LostLeaseError, MissingReasonError
from executors.models import Execution
from executors.transitions import FINISHED, ONLY_UNAMBIGUOUS, TRANSITIONS


def move(
    execution: Execution,
    after: S,
    *,
    actor: Actor,
    at: datetime,
    reason: str = "",
    event: EventType | None = None,
    **changes: Any,
) -> None:
    """Take one step of the table, with its history row, in the caller's transaction.

    Raises:
        InvalidTransitionError: the table has no such step for this kind of actor, or it would
            forget that a request may have left.
        ConflictError: the row is no longer as the caller read it.
    """
    before = S(execution.status)
    step = TRANSITIONS.get(before, {}).get(after)
    if step is None or actor.kind not in step.by:
        raise InvalidTransitionError(
            f"An execution that is {before} cannot become {after} by a {actor.kind}."
        )
    if before is S.RUNNING and after in ONLY_UNAMBIGUOUS and execution.ambiguous:
        raise InvalidTransitionError(
            f"A request may have left, so the execution cannot become {after}."
        )
    event = event or step.event
    if event not in (step.event, *step.also):
        raise InvalidTransitionError(f"{event} is no event of {before} to {after}.")
    history.transition(
        execution,
        Fact(actor=actor, event=event, at=at, reason=reason),
        guard={"status": before, "fence": execution.fence},
        changes={**_defaults(execution, after, at), **changes, "status": after},
    )


def lock(execution_id: str) -> Execution:
    """Return the execution with its row locked, waiting for whoever has it.

    Raises:
        Execution.DoesNotExist: there is none.
    """
    return Execution.objects.select_for_update().get(pk=execution_id)


def lock_if_free(execution_id: str) -> Execution | None:
    """Return the execution with its row locked, or None when another process has it."""
    skip = connection.features.has_select_for_update_skip_locked
    rows = Execution.objects.select_for_update(skip_locked=skip)
    return rows.filter(pk=execution_id).first()


def lock_claimed(claimed: Execution) -> Execution:
    """Return the execution locked, if it is still ours as ``claimed``.

    Raises:
        LostLeaseError: another worker has taken over; nothing may be written.
    """
    execution = lock(claimed.pk)
    if execution.status != S.RUNNING or execution.fence != claimed.fence:
        raise LostLeaseError(f"{execution.pk} was taken over while this worker had it.")
    return execution


def check_reason(reason: str) -> None:
    """Check that a reason says something.

    Raises:
        MissingReasonError: it is empty.
    """
    if not reason.strip():
        raise MissingReasonError("Say why: the reason is kept in the record.")


def check_status(execution: Execution, verb: str, *statuses: S) -> None:
    """Check that an execution is in one of the statuses in which it can be ``verb``: revoked, say.

    Raises:
        InvalidTransitionError: it is in another one.
    """
    if execution.status not in statuses:
        raise InvalidTransitionError(
            f"{execution.pk} is {execution.status}: it can be {verb} only while it is "
            f"{' or '.join(statuses)}."
        )


def _defaults(execution: Execution, after: S, at: datetime) -> dict[str, Any]:
    """Return what every arrival at a status resets, so that no caller can forget it."""
    settled: dict[str, Any] = {
        "ambiguous": execution.ambiguous,
        "error_code": "",
        "error_message": "",
        "held_by_id": None,
    }
    if after is S.RUNNING:
        return settled
    finished_at = (execution.finished_at or at) if after in FINISHED else None
    return {
        **settled,
        "lease_expires_at": None,
        "next_attempt_at": None,
        "finished_at": finished_at,
    }
