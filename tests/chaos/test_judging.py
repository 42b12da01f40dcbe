"""What the judge of a round adds to the checker: payments as a whole, and what was intended."""

from collections.abc import Callable
from typing import Any

import pytest

from audit import clock
from executors.enums import AttemptClass
from executors.enums import ExecutionStatus as S
from executors.models import Attempt, Execution
from executors.stripe.sandbox.process import RunningSandbox
from tests.chaos.judging import lost, may_end_unpaid, over_paid
from tests.chaos.schedules import MOST_TO_SETTLE, WITHIN, Payment, Refund, Schedule
from tests.chaos.steps import Break, Decide, Jump, Revoke, Step, Storm
from tests.crash.stage import Stage


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


@pytest.fixture
def decided(db: None, local_stripe: RunningSandbox) -> Callable[..., Execution]:
    """A refund of 50 that has ended so; ``errors`` of its tries were the provider's own."""

    def decide(status: S, code: str, errors: int = 0) -> Execution:
        execution = Stage(sandbox=local_stripe).decide("pi_1", amount=50)
        execution.status, execution.error_code = status, code
        for number in range(1, errors + 1):
            add_error(execution, number)
        return execution

    return decide


def add_error(execution: Execution, number: int) -> None:
    now = clock.now()
    Attempt.objects.create(
        execution=execution,
        number=number,
        fence=number,
        started_at=now,
        ended_at=now,
        outcome=AttemptClass.AMBIGUOUS,
        http_status=500,
    )


def told(
    execution: Execution, *steps: Step, within: int = WITHIN, paid: dict[str, Any] | None = None
) -> list[str]:
    return list(lost(execution, **circumstances(*steps, within=within, paid=paid)))


def circumstances(
    *steps: Step, within: int = WITHIN, paid: dict[str, Any] | None = None
) -> dict[str, Any]:
    decide = Decide(refund=0, payment=0, amount=50, within=within)
    nothing = ledger(refunded=0)
    return {"number": 0, "schedule": schedule(decide, *steps), "ledger": paid or nothing}


LONG = Jump(seconds=WITHIN - MOST_TO_SETTLE + 1)


@pytest.mark.parametrize(
    ("status", "code", "steps"),
    [
        (S.REFUSED, "revoked", (Revoke(refund=0),)),
        (S.REFUSED, "expired", (LONG,)),
        (S.FAILED, "absent_at_provider", (LONG,)),
    ],
)
def test_a_decision_may_end_unpaid_for_a_reason_of_the_schedule(
    status: S, code: str, steps: tuple[Step, ...], decided: Callable[..., Execution]
) -> None:
    assert told(decided(status, code), *steps) == []
    assert may_end_unpaid(decided(status, code), **circumstances(*steps))


def test_a_decision_may_end_unpaid_when_the_provider_failed_again_and_again(
    decided: Callable[..., Execution],
) -> None:
    assert told(decided(S.FAILED, "absent_at_provider", errors=5)) == []
    [problem] = told(decided(S.FAILED, "absent_at_provider", errors=4))

    assert ": lost: FAILED absent_at_provider" in problem


def test_time_that_passed_before_a_decision_excuses_nothing(
    decided: Callable[..., Execution],
) -> None:
    late = Decide(refund=0, payment=0, amount=50, within=WITHIN)
    plan = schedule(LONG, late)

    [problem] = lost(
        decided(S.REFUSED, "expired"), number=0, schedule=plan, ledger=ledger(refunded=0)
    )

    assert ": lost: REFUSED expired" in problem


def test_a_decision_in_a_hurry_may_run_out(decided: Callable[..., Execution]) -> None:
    assert told(decided(S.REFUSED, "expired"), within=60) == []


def test_a_decision_may_find_too_little_left_even_if_that_came_back_later(
    decided: Callable[..., Execution],
) -> None:
    gone = ledger((60, "failed"), refunded=0)

    assert told(decided(S.FAILED, "invalid_request_error"), paid=gone) == []


def test_a_refund_may_fail_at_the_provider_if_it_is_there(
    decided: Callable[..., Execution],
) -> None:
    refused = decided(S.FAILED, "expired_or_canceled_card")
    there = of_decision(refused, ledger((50, "failed"), refunded=0))

    assert told(refused, paid=there) == []


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (S.REFUSED, "expired"),
        (S.FAILED, "absent_at_provider"),
        (S.FAILED, "invalid_request_error"),
        (S.FAILED, "charge_already_refunded"),
        (S.FAILED, "expired_or_canceled_card"),
        (S.REFUSED, "revoked"),
        (S.REFUSED, "attempts_exhausted"),
        (S.FAILED, "connection_error"),
    ],
)
def test_a_decision_that_ends_unpaid_without_one_is_lost(
    status: S, code: str, decided: Callable[..., Execution]
) -> None:
    line = {"match": {"method": "POST"}, "fault": "drop_after", "times": 1}
    storm = Storm(seed=1, rate=0.6, kinds=("stored_500",))

    [problem] = told(
        decided(status, code),
        Break(lines=(line,)),
        Jump(seconds=60),
        storm,
        paid=ledger((50, "succeeded"), refunded=50),
    )

    assert f": lost: {status} {code}" in problem


def test_what_nothing_excuses_had_to_be_paid(decided: Callable[..., Execution]) -> None:
    paid = decided(S.SUCCEEDED, "")
    own = of_decision(paid, ledger((50, "succeeded"), refunded=50))

    assert not may_end_unpaid(paid, **circumstances(paid=own))
    assert not may_end_unpaid(paid, **circumstances(paid=ledger((50, "pending"), refunded=50)))
    assert may_end_unpaid(paid, **circumstances(paid=ledger((51, "succeeded"), refunded=51)))
    assert may_end_unpaid(paid, **circumstances(within=60))


def of_decision(execution: Execution, paid: dict[str, Any]) -> dict[str, Any]:
    metadata = {"countersign_decision": execution.jti}
    paid["payments"][0]["refunds"][0]["metadata"] = metadata
    return paid
