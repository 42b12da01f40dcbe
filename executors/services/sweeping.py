"""Finding work that no message announced, or whose worker died."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from audit import actors, clock
from executors import bell
from executors.enums import ExecutionStatus as S
from executors.errors import RefusedError
from executors.models import Execution
from executors.services.moves import lock_if_free, move
from executors.services.stopping import give_up

#: How long the bell of the commit itself may take, before the sweeper rings too.
_A_MOMENT = timedelta(seconds=2)

_SWEEPER = actors.system("sweeper")


def sweep(*, limit: int) -> list[str]:
    """Refuse what waits past its time, queue what may be repaired, and ring for what is due.

    Returns whom it rang for. At most ``limit`` of each, the oldest first. Losing every queued
    message loses nothing: this finds the work in the database. Without a broker it stops ringing
    after the first failure: then it is the workers' loops that find the work.
    """
    refuse_expired(limit=limit)
    try_repaired(limit=limit)
    rung = []
    for execution_id in _ids(due_filter(clock.now(), unheard_for=_A_MOMENT), limit):
        rung.append(execution_id)
        if not bell.ring(execution_id):
            break
    return rung


def refuse_expired(*, limit: int) -> list[str]:
    """Refuse at most ``limit`` of what waits past its time; return which it refused."""
    expired = _ids(_expired(clock.now()), limit)
    return [execution_id for execution_id in expired if _refuse_expired(execution_id)]


def try_repaired(*, limit: int) -> list[str]:
    """Queue at most ``limit`` of what is held until something is repaired; return which it did."""
    waiting = _ids(_to_be_tried_again(clock.now()), limit)
    return [execution_id for execution_id in waiting if _try_again(execution_id)]


def find_due(*, limit: int, without: Collection[str] = ()) -> list[str]:
    """Return at most ``limit`` executions that a worker may claim now, the oldest first.

    ``without`` names executions that the caller does not want to hear of again.
    """
    return _ids(due_filter(clock.now()) & ~Q(pk__in=without), limit)


def due_filter(at: datetime, *, unheard_for: timedelta = timedelta(0)) -> Q:
    """Return which executions a worker should look at: the same rule as the claim's.

    One that was queued less than ``unheard_for`` ago is left to its own bell.
    """
    waiting = Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=at)
    announced = Q(status=S.QUEUED, queued_at__lte=at - unheard_for)
    lapsed = Q(status=S.RUNNING, lease_expires_at__lte=at)
    retry = Q(status=S.RUNNING, lease_expires_at__isnull=True, next_attempt_at__lte=at)
    return (announced & waiting) | lapsed | retry


def _expired(at: datetime) -> Q:
    """Of these nothing can have left. What is RUNNING is ended by the worker that claims it."""
    return Q(status__in=[S.QUEUED, S.HELD], expires_at__lte=at)


def _to_be_tried_again(at: datetime) -> Q:
    """Held by something that is repaired outside, without anybody telling us.

    Or by a hold that was lifted between the worker's look at it and the step that it led to.
    """
    return Q(status=S.HELD, next_attempt_at__lte=at) | Q(
        status=S.HELD, held_by__lifted_at__isnull=False
    )


def _ids(condition: Q, limit: int) -> list[str]:
    rows = Execution.objects.filter(condition).order_by("queued_at", "pk")
    return list(rows.values_list("pk", flat=True)[:limit])


def _refuse_expired(execution_id: str) -> bool:
    with transaction.atomic():
        execution = lock_if_free(execution_id)
        at = clock.now()
        if execution is None or not Execution.objects.filter(_expired(at), pk=execution_id):
            return False
        expired = RefusedError("The time to carry out this decision is over.", code="expired")
        give_up(execution, expired, actor=_SWEEPER, at=at)
        return True


def _try_again(execution_id: str) -> bool:
    with transaction.atomic():
        execution = lock_if_free(execution_id)
        at = clock.now()
        if execution is None or not Execution.objects.filter(
            _to_be_tried_again(at), pk=execution_id
        ):
            return False
        reason = "Tried again: what held it may have been repaired, or the hold was lifted."
        move(execution, S.QUEUED, actor=_SWEEPER, at=at, reason=reason)
        return True
