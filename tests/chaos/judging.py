"""What is wrong after a round: the three ledgers, the payments, and what the schedule intended."""

from collections.abc import Iterator
from typing import Any

from audit.signing import tokens
from executors.enums import ExecutionStatus as S
from executors.models import Execution, Finding
from executors.services import settling
from tests.chaos.playing import Round
from tests.chaos.schedules import Schedule
from tests.crash.ledgers import problems

_CAME_BACK = ("failed", "canceled")
#: A refund that failed at the provider before we had heard of it.
_FAILED_THERE = "expired_or_canceled_card"
#: Its time was over before anything had left, or what may have left is not there.
_ABSENT = "absent_at_provider"
_OVER = ("expired", _ABSENT)
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
        (code == "revoked" and schedule.is_revoked(number))
        or (code == _FAILED_THERE and _came_back(claims, ledger))
        or (code in _TOO_MUCH and _leaves_too_little(claims, ledger))
        or (code in _OVER and schedule.may_run_out(number))
        or (code == _ABSENT and is_given_up(execution))
    )
    if not excused:
        yield f"{execution.pk}: lost: {execution.status} {code}: {execution.error_message}"


def may_end_unpaid(
    execution: Execution, *, number: int, schedule: Schedule, ledger: dict[str, Any]
) -> bool:
    """Whether there is any reason at all for this one to end unpaid; all others must be paid."""
    claims = tokens.unverified_claims(execution.token)
    return (
        schedule.is_revoked(number)
        or schedule.may_run_out(number)
        or is_given_up(execution)
        or _came_back(claims, ledger)
        or _leaves_too_little(claims, ledger)
    )


def is_given_up(execution: Execution) -> bool:
    """Whether the provider failed so often, and about this one, that asking on was no use."""
    return execution.attempts.filter(http_status__gte=500).count() >= settling.MOST_SERVER_ERRORS


def _came_back(claims: dict[str, Any], ledger: dict[str, Any]) -> bool:
    return any(
        _is_of(refund, claims) and refund["status"] in _CAME_BACK
        for payment in ledger["payments"]
        for refund in payment["refunds"]
    )


def _leaves_too_little(claims: dict[str, Any], ledger: dict[str, Any]) -> bool:
    """Whether there was a moment at which the others left too little for this one."""
    payload = claims["payload"]
    [payment] = [one for one in ledger["payments"] if one["id"] == payload["payment_intent"]]
    # What came back later was gone before.
    others: int = sum(r["amount"] for r in payment["refunds"] if not _is_of(r, claims))
    return bool(others + payload["amount"] > payment["amount_captured"])


def _is_of(refund: dict[str, Any], claims: dict[str, Any]) -> bool:
    return bool(refund["metadata"].get("countersign_decision") == claims["jti"])
