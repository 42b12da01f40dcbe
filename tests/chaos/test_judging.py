"""What the judge of a round adds to the checker: payments as a whole, and what was intended."""

from typing import Any

import pytest
from django.conf import settings

from audit.signing import keys, tokens
from executors.enums import ExecutionStatus as S
from executors.models import Execution
from tests.chaos.judging import lost, over_paid
from tests.chaos.schedules import WITHIN, Payment, Refund, Schedule
from tests.chaos.steps import Break, Decide, Jump, Revoke, Settle, Step, Storm


def ledger(*refunds: tuple[int, str], refunded: int) -> dict[str, Any]:
    paid = [{"amount": amount, "status": status, "metadata": {}} for amount, status in refunds]
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


def decided(status: S, code: str, amount: int = 50) -> Execution:
    claims = {"jti": "dec_1", "iat": 0, "payload": {"payment_intent": "pi_1", "amount": amount}}
    key = keys.load_signing_key(settings.COUNTERSIGN_SIGNING_KEY_FILE)
    return Execution(status=status, error_code=code, token=tokens.sign(claims, key))


def told(
    execution: Execution, *steps: Step, within: int = WITHIN, paid: dict[str, Any] | None = None
) -> list[str]:
    decide = Decide(refund=0, payment=0, amount=50, within=within)
    nothing = ledger(refunded=0)
    return list(
        lost(execution, number=0, schedule=schedule(decide, *steps), ledger=paid or nothing)
    )


@pytest.mark.parametrize(
    ("status", "code", "steps"),
    [
        (S.REFUSED, "revoked", ()),
        (S.REFUSED, "expired", (Jump(seconds=90_000),)),
        (S.FAILED, "absent_at_provider", (Jump(seconds=90_000),)),
        (S.FAILED, "absent_at_provider", (Storm(seed=1, rate=0.1, kinds=()),)),
    ],
)
def test_a_decision_may_end_unpaid_for_a_reason_of_the_schedule(
    status: S, code: str, steps: tuple[Step, ...]
) -> None:
    assert told(decided(status, code), *steps) == []


def test_a_decision_in_a_hurry_may_run_out() -> None:
    assert told(decided(S.REFUSED, "expired"), within=60) == []


def test_a_decision_may_find_too_little_left_even_if_that_came_back_later() -> None:
    gone = ledger((60, "failed"), refunded=0)

    assert told(decided(S.FAILED, "invalid_request_error"), paid=gone) == []


def test_a_refund_may_fail_at_the_provider_if_it_is_there() -> None:
    there = ledger((50, "failed"), refunded=0)
    there["payments"][0]["refunds"][0]["metadata"] = {"countersign_decision": "dec_1"}

    assert told(decided(S.FAILED, "expired_or_canceled_card"), paid=there) == []


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (S.REFUSED, "expired"),
        (S.FAILED, "absent_at_provider"),
        (S.FAILED, "invalid_request_error"),
        (S.FAILED, "charge_already_refunded"),
        (S.FAILED, "expired_or_canceled_card"),
        (S.REFUSED, "attempts_exhausted"),
        (S.FAILED, "connection_error"),
    ],
)
def test_a_decision_that_ends_unpaid_without_one_is_lost(status: S, code: str) -> None:
    line = {"match": {"method": "POST"}, "fault": "drop_after", "times": 1}
    calm = Storm(seed=1, rate=0.0, kinds=())

    [problem] = told(
        decided(status, code),
        Break(lines=(line,)),
        Jump(seconds=60),
        calm,
        paid=ledger((50, "succeeded"), refunded=50),
    )

    assert f": lost: {status} {code}" in problem


def test_what_nothing_excuses_has_to_be_paid() -> None:
    decide = Decide(refund=0, payment=0, amount=50, within=WITHIN)

    assert not schedule(decide).excuses(0)
    assert schedule(decide, Revoke(refund=0)).excuses(0)
    assert schedule(decide, Settle(refund=0, outcome="failed")).excuses(0)
    assert schedule(decide, asked=(50, 51)).excuses(0)
    assert schedule(decide, Jump(seconds=90_000)).excuses(0)
