"""After a success: the provider's object is read again until it cannot change any more."""

from datetime import datetime

from django.db import transaction

from audit import actors, clock, failpoints
from audit.actors import Actor
from audit.alarms import raise_alarm
from executors.base import Receipt
from executors.enums import ExecutionStatus as S
from executors.models import Execution
from executors.services.moves import lock, move
from executors.services.reading import Shown, keep, read_back


def follow(*, execution_id: str, worker: str) -> S | None:
    """Read again what a success is about, and write down when the provider says something new.

    The provider's status is kept in its own words. One that failed or was canceled after all
    makes the execution REVERSED, with an alarm: the customer does not have the money.

    Returns:
        The status afterwards, or None when there is no such execution.
    """
    before = Execution.objects.filter(pk=execution_id).first()
    if before is None:
        return None
    if before.status != S.SUCCEEDED:
        return S(before.status)
    begun_at = clock.now()
    shown = read_back(before)
    failpoints.reached("reading:taken")
    return _write(before, shown, begun_at=begun_at, actor=actors.worker(worker))


def _write(before: Execution, shown: Shown, *, begun_at: datetime, actor: Actor) -> S:
    with transaction.atomic():
        execution = lock(before.pk)
        newer = execution.readings.filter(begun_at__gt=begun_at).exists()
        if execution.status != S.SUCCEEDED or newer:
            # Two readings at once: what began earlier must not overwrite what began later.
            return S(execution.status)
        keep(execution, shown, begun_at=begun_at)
        if shown.receipt is not None:
            _compare(execution, shown.receipt, actor, clock.now())
        return S(execution.status)


def _compare(execution: Execution, receipt: Receipt, actor: Actor, at: datetime) -> None:
    _check_amount(execution, receipt)
    if receipt.failed:
        _reverse(execution, receipt, actor, at)
    elif receipt.provider_status != execution.provider_status:
        move(
            execution,
            S.SUCCEEDED,
            actor=actor,
            at=at,
            reason=f"{receipt.reference} is {receipt.provider_status}",
            provider_status=receipt.provider_status,
        )


def _reverse(execution: Execution, receipt: Receipt, actor: Actor, at: datetime) -> None:
    message = (
        f"{receipt.reference} succeeded and is {receipt.provider_status} now "
        f"({receipt.failure_code}): the customer does not have the money."
    )
    raise_alarm("reversed", message, subject=execution.pk)
    move(
        execution,
        S.REVERSED,
        actor=actor,
        at=at,
        reason=message,
        provider_status=receipt.provider_status,
        error_code=receipt.failure_code,
        error_message=message,
    )


def _check_amount(execution: Execution, receipt: Receipt) -> None:
    """Alarm when the object is about another amount than the receipt. (A person's has none.)"""
    known = execution.receipt or {}
    if "amount" not in known:
        return
    if (receipt.amount_minor, receipt.currency) != (known["amount"], known["currency"]):
        raise_alarm(
            "receipt_mismatch",
            f"{receipt.reference} is about {receipt.amount_minor} {receipt.currency} now, the "
            f"receipt about {known['amount']} {known['currency']}.",
            subject=execution.pk,
        )
