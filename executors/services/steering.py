"""What a named person may do to one execution: revoke, hold, release, resolve."""

from datetime import datetime
from typing import Any

from django.db import transaction

from audit import actors, clock
from audit.history import stamp
from executors.enums import EventType, HoldScope
from executors.enums import ExecutionStatus as S
from executors.errors import InvalidTransitionError
from executors.models import Execution
from executors.permissions import check_may_steer
from executors.services.holding import lift_holds, set_hold
from executors.services.moves import check_reason, check_status, lock, move
from executors.services.queueing import ring_after_commit

_RESOLUTIONS = (S.SUCCEEDED, S.FAILED)


def revoke(*, execution_id: str, user: Any, reason: str) -> Execution:
    """Take an approval back before it runs: QUEUED or HELD becomes REFUSED, for good.

    Raises:
        NotPermittedError: this person may not steer executions.
        MissingReasonError: no reason.
        InvalidTransitionError: a worker has it already, or it is over.
    """
    _check(user, reason)
    with transaction.atomic():
        execution = lock(execution_id)
        check_status(execution, "revoked", S.QUEUED, S.HELD)
        move(
            execution,
            S.REFUSED,
            event=EventType.EXECUTION_REVOKE,
            actor=actors.person(user),
            at=clock.now(),
            reason=reason,
            error_code="revoked",
            error_message=f"Revoked by {user.get_username()}: {reason}",
        )
        return execution


def hold(*, execution_id: str, user: Any, reason: str) -> Execution:
    """Stop one execution until it is released: at once when QUEUED, else before its next request.

    One that is HELD because something has to be repaired is no longer tried again by itself.

    Raises:
        NotPermittedError: this person may not steer executions.
        MissingReasonError: no reason.
        InvalidTransitionError: a person holds it already, or it is over.
    """
    _check(user, reason)
    with transaction.atomic():
        execution = lock(execution_id)
        may_go_on = [S.HELD] if execution.next_attempt_at is not None else []
        check_status(execution, "held", S.QUEUED, S.RUNNING, *may_go_on)
        set_hold(
            scope=HoldScope.EXECUTION,
            value=execution.pk,
            reason=reason,
            actor=actors.person(user),
            at=clock.now(),
        )
        execution.refresh_from_db()
        return execution


def release(*, execution_id: str, user: Any, reason: str) -> Execution:
    """Let a HELD execution go on, or take back a hold on one that is RUNNING.

    A hold on something larger (an agent, an action, everything) still stops it when it is claimed.

    Raises:
        NotPermittedError: this person may not steer executions.
        MissingReasonError: no reason.
        InvalidTransitionError: nothing holds it.
    """
    _check(user, reason)
    actor = actors.person(user)
    with transaction.atomic():
        execution = lock(execution_id)
        at = clock.now()
        lifted = lift_holds(
            scope=HoldScope.EXECUTION, value=execution.pk, reason=reason, actor=actor, at=at
        )
        execution.refresh_from_db()
        if execution.status == S.HELD:
            move(execution, S.QUEUED, actor=actor, at=at, reason=reason)
        elif not lifted:
            raise InvalidTransitionError(f"{execution.pk} is {execution.status}: nothing holds it.")
        ring_after_commit(execution.pk)
        return execution


def resolve(
    *, execution_id: str, user: Any, reason: str, outcome: S, provider_reference: str = ""
) -> Execution:
    """Settle an UNKNOWN by what a person read at the provider: SUCCEEDED or FAILED.

    A success needs the provider's reference. The receipt says that a person resolved it, so that
    nobody takes it for the provider's own answer.

    Raises:
        NotPermittedError: this person may not steer executions.
        MissingReasonError: no reason.
        InvalidTransitionError: it is not UNKNOWN, the outcome is neither, or a success comes
            without the provider's reference.
    """
    _check(user, reason)
    if outcome not in _RESOLUTIONS:
        raise InvalidTransitionError("An unknown outcome is resolved as SUCCEEDED or FAILED.")
    reference = provider_reference.strip()
    if outcome == S.SUCCEEDED and not reference:
        raise InvalidTransitionError("A success needs the provider's reference, such as re_…")
    with transaction.atomic():
        execution = lock(execution_id)
        check_status(execution, "resolved", S.UNKNOWN)
        at = clock.now()
        move(
            execution,
            outcome,
            actor=actors.person(user),
            at=at,
            reason=reason,
            provider_reference=reference,
            receipt=_resolved(user, reference, at) if outcome == S.SUCCEEDED else None,
            error_code="" if outcome == S.SUCCEEDED else "resolved_as_failed",
        )
        return execution


def _resolved(user: Any, reference: str, at: datetime) -> dict[str, Any]:
    return {
        "reference": reference,
        "resolved_by": user.get_username(),
        "resolved_at": stamp(at),
    }


def _check(user: Any, reason: str) -> None:
    check_may_steer(user)
    check_reason(reason)
