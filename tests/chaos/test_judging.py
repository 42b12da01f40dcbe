"""What the judge of a round adds to the checker: payments as a whole, and what was intended."""

from typing import Any

import pytest

from executors.enums import ExecutionStatus as S
from executors.models import Execution
from tests.chaos.judging import lost, over_paid
from tests.chaos.schedules import Payment, Refund, Schedule
from tests.chaos.steps import Break, Jump, Step


def ledger(*refunds: tuple[int, str], refunded: int) -> dict[str, Any]:
    paid = [{"amount": amount, "status": status} for amount, status in refunds]
    payment = {"id": "pi_1", "amount_captured": 100, "amount_refunded": refunded, "refunds": paid}
    return {"payments": [payment]}


def schedule(*steps: Step, asked: tuple[int, ...] = (50,)) -> Schedule:
    return Schedule(
        seed=0,
        payments=(Payment(amount=100, card="pm_card_visa"),),
        refunds=tuple(Refund(payment=0, amount=amount) for amount in asked),
        steps=steps,
    )


def test_two_halves_of_a_payment_are_no_problem_and_what_came_back_does_not_count() -> None:
    whole = ledger((50, "succeeded"), (50, "pending"), (50, "failed"), refunded=100)

    assert list(over_paid(whole)) == []


def test_more_than_was_captured_is_told() -> None:
    [problem] = over_paid(ledger((100, "succeeded"), (50, "pending"), refunded=150))

    assert problem == "pi_1: 150 of 100 were paid back"


def test_sums_that_differ_are_told() -> None:
    [problem] = over_paid(ledger((50, "succeeded"), refunded=100))

    assert problem == "pi_1: the provider's own sums differ"


@pytest.mark.parametrize(
    ("status", "code", "steps", "asked"),
    [
        (S.REFUSED, "revoked", (), (50,)),
        (S.REFUSED, "expired", (Jump(seconds=90_000),), (50,)),
        (S.FAILED, "absent_at_provider", (Jump(seconds=90_000),), (50,)),
        (S.FAILED, "invalid_request_error", (), (50, 60)),
        (S.FAILED, "expired_or_canceled_card", (), (50,)),
    ],
)
def test_a_decision_may_end_unpaid_for_a_reason_of_the_schedule(
    status: S, code: str, steps: tuple[Step, ...], asked: tuple[int, ...]
) -> None:
    execution = Execution(status=status, error_code=code)

    assert list(lost(execution, schedule(*steps, asked=asked))) == []


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (S.REFUSED, "expired"),
        (S.FAILED, "absent_at_provider"),
        (S.FAILED, "invalid_request_error"),
        (S.FAILED, "charge_already_refunded"),
        (S.REFUSED, "attempts_exhausted"),
        (S.FAILED, "connection_error"),
    ],
)
def test_a_decision_that_ends_unpaid_without_one_is_lost(status: S, code: str) -> None:
    line = {"match": {"method": "POST"}, "fault": "drop_after", "times": 1}

    [problem] = lost(
        Execution(status=status, error_code=code), schedule(Break(lines=(line,)), Jump(seconds=60))
    )

    assert f": lost: {status} {code}" in problem
