"""Setting and lifting brakes. Callers check who may; this floor only acts."""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from audit import history
from audit.actors import Actor
from audit.history import Fact
from executors.enums import EventType, HoldScope
from executors.enums import ExecutionStatus as S
from executors.holds import covered_by
from executors.models import Execution, Hold
from executors.services.moves import check_reason, move


def set_hold(*, scope: HoldScope, value: str, reason: str, actor: Actor, at: datetime) -> Hold:
    """Stop everything in a scope, now and until the hold is lifted.

    ``value`` is the id that the scope is about: of an agent, an agent key or an execution, or an
    action's catalogue name; empty for EVERYTHING. What is QUEUED becomes HELD at once. What is
    RUNNING, and what another process has locked, is stopped at its next look, unless its try is
    written down already: a process that is frozen with a row must not keep the brake from others.

    Raises:
        MissingReasonError: the reason is empty.
        ValueError: the value does not fit the scope.
    """
    check_reason(reason)
    if (scope == HoldScope.EVERYTHING) != (value == ""):
        raise ValueError(f"A hold on {scope} cannot have the value {value!r}.")
    with transaction.atomic():
        hold = Hold(scope=scope, value=value, reason=reason, set_by=str(actor), set_at=at)
        history.record(hold, Fact(actor=actor, event=EventType.HOLD_SET, at=at, reason=reason))
        skip = connection.features.has_select_for_update_skip_locked
        for execution in _locked(covered_by(scope, value), S.QUEUED, skip_locked=skip):
            move(
                execution,
                S.HELD,
                actor=actor,
                at=at,
                reason=reason,
                error_code="hold",
                error_message=f"Held by {actor.name}: {reason}",
                held_by_id=hold.pk,
            )
        return hold


def lift_holds(
    *,
    scope: HoldScope,
    value: str,
    reason: str,
    actor: Actor,
    at: datetime,
    set_by: str = "",
    set_at: datetime | None = None,
) -> list[Hold]:
    """Lift every hold of this scope and value, and queue again what they held.

    With ``set_by`` (an actor, as it is stored) and ``set_at`` only those of that actor and instant:
    whoever has set a hold as a part of something else takes back no more than that.

    Returns the holds that were lifted, which may be none. What another hold covers too is held
    again by the worker that claims it. Nobody is rung for: the sweeper finds it within seconds.

    Raises:
        MissingReasonError: the reason is empty.
    """
    check_reason(reason)
    with transaction.atomic():
        standing = Hold.objects.select_for_update().filter(
            scope=scope, value=value, lifted_at__isnull=True
        )
        if set_at is not None:
            standing = standing.filter(set_by=set_by, set_at=set_at)
        holds = list(standing.order_by("pk"))
        for hold in holds:
            history.transition(
                hold,
                Fact(actor=actor, event=EventType.HOLD_LIFT, at=at, reason=reason),
                guard={"lifted_at": None},
                changes={"lifted_at": at, "lifted_by": str(actor), "lift_reason": reason},
            )
        for execution in _locked(Q(held_by__in=holds), S.HELD):
            move(execution, S.QUEUED, actor=actor, at=at, reason=reason)
        return holds


def _locked(covered: Q, status: S, *, skip_locked: bool = False) -> Iterable[Execution]:
    """Lock in one order, so that two brakes at once do not wait for each other.

    The status is part of the locking query: a row that a worker has just claimed drops out.
    """
    rows = Execution.objects.select_for_update(skip_locked=skip_locked)
    return rows.filter(covered, status=status).order_by("pk")
