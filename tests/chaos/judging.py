"""What is wrong after a round: the three ledgers, the payments, and what the schedule intended."""

from collections.abc import Iterator
from typing import Any

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
    return [
        *(trouble for one in played.ended if (trouble := one.trouble())),
        *problems(ledger, executions),
        *over_paid(ledger),
        *(problem for one in executions for problem in lost(one, played.schedule)),
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


def lost(execution: Execution, schedule: Schedule) -> Iterator[str]:
    """A decision may end unpaid only for a reason that the schedule gives."""
    code = execution.error_code
    if execution.status not in (S.FAILED, S.REFUSED):
        return
    excused = (
        code in ("revoked", _FAILED_THERE)
        or (code in _TOO_MUCH and schedule.is_over_asked)
        or (code in ("expired", "absent_at_provider") and schedule.may_run_out)
    )
    if not excused:
        yield f"{execution.pk}: lost: {execution.status} {code}: {execution.error_message}"
