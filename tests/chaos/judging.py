"""What is wrong after a round: the three ledgers, the payments, and what the schedule intended."""

from collections.abc import Iterator
from typing import Any

from audit.signing import tokens
from executors.enums import ExecutionStatus as S
from executors.models import Execution, Finding
from tests.chaos.playing import Round
from tests.chaos.schedules import Schedule
from tests.crash.ledgers import problems

_CAME_BACK = ("failed", "canceled")
#: A refund that failed at the provider before we had heard of it.
_FAILED_THERE = "expired_or_canceled_card"
#: Stripe's words when the rest of the payment is too little: a code, or none but the type.
_TOO_MUCH = ("charge_already_refunded", "invalid_request_error")


def judge(played: Round) -> list[str]:
    """Return what is wrong with a round that is over; [] when nothing is."""
    executions = played.present()
    ledger = played.stage.ledger()
    numbers = {execution.pk: number for number, execution in played.executions.items()}
    return [
        *(trouble for one in played.ended if (trouble := one.trouble())),
        *problems(ledger, executions),
        *over_paid(ledger),
        *(
            problem
            for execution in executions
            for problem in lost(
                execution,
                number=numbers[execution.pk],
                schedule=played.schedule,
                ledger=ledger,
            )
        ),
        *(str(finding) for finding in Finding.objects.filter(execution__in=executions)),
    ]


def over_paid(ledger: dict[str, Any]) -> Iterator[str]:
    for payment in ledger["payments"]:
        lasting = sum(
            refund["amount"] for refund in payment["refunds"] if refund["status"] not in _CAME_BACK
        )
        if lasting > payment["amount_captured"]:
            yield f"{payment['id']}: {lasting} of {payment['amount_captured']} were paid back"
        if lasting != payment["amount_refunded"]:
            yield f"{payment['id']}: the provider's own sums differ"


def lost(
    execution: Execution, *, number: int, schedule: Schedule, ledger: dict[str, Any]
) -> Iterator[str]:
    """A decision may end unpaid only for a reason that the schedule gives to this one.

    ``number`` is what the schedule calls its refund.
    """
    code = execution.error_code
    if execution.status not in (S.FAILED, S.REFUSED):
        return
    claims = tokens.unverified_claims(execution.token)
    excused = (
        code == "revoked"
        or (code == _FAILED_THERE and _came_back(claims, ledger))
        or (code in _TOO_MUCH and _leaves_too_little(claims, ledger))
        or (code in ("expired", "absent_at_provider") and schedule.may_run_out(number))
    )
    if not excused:
        yield f"{execution.pk}: lost: {execution.status} {code}: {execution.error_message}"


def _came_back(claims: dict[str, Any], ledger: dict[str, Any]) -> bool:
    return any(
        refund["metadata"].get("countersign_decision") == claims["jti"]
        and refund["status"] in _CAME_BACK
        for payment in ledger["payments"]
        for refund in payment["refunds"]
    )


def _leaves_too_little(claims: dict[str, Any], ledger: dict[str, Any]) -> bool:
    """Whether there was a moment at which the provider had too little left for this one."""
    payload = claims["payload"]
    [payment] = [one for one in ledger["payments"] if one["id"] == payload["payment_intent"]]
    # What came back later was gone before.
    ever: int = sum(refund["amount"] for refund in payment["refunds"])
    return bool(ever + payload["amount"] > payment["amount_captured"])
