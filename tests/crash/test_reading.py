"""A reader dies between pages or before it writes; the provider shows two (R2 and R4 to R6)."""

import logging
import signal
from typing import Any

import pytest

from audit import clock
from executors import services
from executors.enums import ExecutionStatus as S
from executors.enums import ReadingResult
from executors.models import Execution
from tests.crash.children import freeze
from tests.crash.ledgers import problems
from tests.crash.recovering import RECOVERIES
from tests.crash.stage import Stage, everything, fresh
from tests.crash.test_answers import once


def lost(stage: Stage, execution: Execution, fault: str = "drop_after") -> Execution:
    """Let the answer to a refund get lost, and its time pass: it is UNKNOWN."""
    stage.script(once(fault))
    stage.worker(execution.pk).wait()
    stage.advance((execution.expires_at - clock.now()).total_seconds())
    stage.worker(execution.pk).wait()
    [after] = fresh([execution])
    assert after.status == S.UNKNOWN
    return after


@pytest.fixture
def refund(stage: Stage) -> Execution:
    """A refund that Stripe made, and of which we do not know."""
    return lost(stage, stage.decide(stage.pay()))


def copy_of_ours(stage: Stage, **changes: Any) -> None:
    """What the merchant's own client must never do: another refund under our marks."""
    [ours] = stage.refunds()
    copied = {name: ours[name] for name in ("payment_intent", "amount", "metadata")}
    stage.merchant.v1.refunds.create(copied | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("recovery", RECOVERIES)
@pytest.mark.parametrize("place", ["page:read", "reading:taken"])
def test_a_reader_that_dies_has_settled_nothing(
    place: str, recovery: str, stage: Stage, refund: Execution
) -> None:
    before = everything([refund])

    ended = stage.reader(refund.pk, at=place).wait()
    assert (ended.signal, ended.places[-1]) == (signal.SIGKILL, place)
    assert everything([refund]) == before
    RECOVERIES[recovery](stage, [refund])

    [after] = fresh([refund])
    assert after.status == S.SUCCEEDED
    assert problems(stage.ledger(), [after]) == []


def test_a_reader_that_dies_between_pages_has_not_proved_absence(stage: Stage) -> None:
    payment = stage.pay(20000)
    refund = stage.decide(payment)
    refund = lost(stage, refund)
    # Ours is the oldest, so that it is on the second page.
    for _ in range(101):
        stage.merchant.v1.refunds.create({"payment_intent": payment, "amount": 1})
    before = everything([refund])

    ended = stage.reader(refund.pk, at="page:read").wait()
    assert (ended.signal, ended.places) == (signal.SIGKILL, ["page:read"])
    assert everything([refund]) == before
    whole = stage.reader(refund.pk).wait()

    assert whole.places == ["page:read", "page:read", "reading:taken"]
    [after] = fresh([refund])
    assert (after.status, after.readings.count()) == (S.SUCCEEDED, 1)


@pytest.mark.parametrize("recovery", RECOVERIES)
def test_two_refunds_of_one_decision_are_never_a_match(
    recovery: str, stage: Stage, refund: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_of_ours(stage, amount=1000)

    monkeypatch.setattr("tests.crash.recovering.MOST_TURNS", 3)
    RECOVERIES[recovery](stage, [refund])

    [after] = fresh([refund])
    codes = set(after.readings.values_list("result", "error_code"))
    assert after.status == S.UNKNOWN
    assert codes == {(ReadingResult.MISMATCH, "look_up_duplicate")}


def test_two_refunds_of_one_decision_are_an_alarm(
    stage: Stage, refund: Execution, caplog: pytest.LogCaptureFixture
) -> None:
    copy_of_ours(stage, amount=1000)

    with caplog.at_level(logging.CRITICAL, logger="countersign.alarm"):
        services.reconcile(execution_id=refund.pk, worker="here")

    assert f"alarm=look_up_duplicate subject={refund.pk}" in caplog.text


def test_a_refund_of_somebody_else_is_no_second_one(stage: Stage, refund: Execution) -> None:
    copy_of_ours(stage, amount=1000, metadata={"ticket": "T-1"})

    RECOVERIES["sweeper"](stage, [refund])

    assert fresh([refund])[0].status == S.SUCCEEDED


@pytest.fixture(params=["failed", "canceled"])
def failed_later(stage: Stage, request: pytest.FixtureRequest) -> Execution:
    """A refund that succeeded and came back afterwards, and no event told us."""
    refund = stage.decide(stage.pay())
    stage.worker(refund.pk).wait()
    stage.settle(stage.refunds()[0]["id"], request.param)
    stage.advance(3700)
    return refund


def test_a_refund_that_failed_later_is_found_after_a_reader_died(
    stage: Stage, failed_later: Execution
) -> None:
    assert stage.sweep() == ([], [failed_later.pk])
    stage.reader(failed_later.pk, at="reading:taken").wait()
    assert stage.sweep() == ([], [failed_later.pk])

    stage.reader(failed_later.pk).wait()

    [after] = fresh([failed_later])
    assert after.status == S.REVERSED
    assert problems(stage.ledger(), [after]) == []


def test_a_refund_that_waits_for_the_customer_is_followed_to_its_end(stage: Stage) -> None:
    refund = stage.decide(stage.pay(card="pm_card_pendingRefund"))
    stage.worker(refund.pk).wait()
    [made] = stage.refunds()
    seen = []

    for bring in (
        lambda: stage.settle(made["id"], "requires_action"),
        lambda: stage.merchant.v1.refunds.cancel(made["id"]),
    ):
        bring()
        stage.advance(301)
        assert stage.sweep() == ([], [refund.pk])
        stage.reader(refund.pk).wait()
        seen += [(e.status, e.provider_status, e.error_code) for e in fresh([refund])]

    assert seen == [
        (S.SUCCEEDED, "requires_action", ""),
        (S.REVERSED, "canceled", "merchant_request"),
    ]
    assert problems(stage.ledger(), fresh([refund])) == []


def test_a_reader_that_wakes_late_writes_nothing(stage: Stage, failed_later: Execution) -> None:
    sleeper = stage.reader(failed_later.pk, at="reading:taken", fate=freeze)
    sleeper.wait_frozen()
    stage.advance(3700)
    stage.reader(failed_later.pk).wait()
    found = everything([failed_later])

    sleeper.wake()

    assert sleeper.wait().code == 0
    assert everything([failed_later]) == found
    assert fresh([failed_later])[0].status == S.REVERSED


def test_a_reader_that_wakes_when_all_is_settled_writes_nothing(
    stage: Stage, refund: Execution
) -> None:
    sleeper = stage.reader(refund.pk, at="reading:taken", fate=freeze)
    sleeper.wait_frozen()
    stage.reader(refund.pk).wait()
    found = everything([refund])

    sleeper.wake()
    ended = sleeper.wait()

    assert ended.code == 0, ended.trouble
    assert everything([refund]) == found
    assert problems(stage.ledger(), fresh([refund])) == []


def test_a_listing_that_was_cut_off_is_no_proof_of_absence(stage: Stage) -> None:
    refund = lost(stage, stage.decide(stage.pay()), "drop_before")
    stage.advance(3700)

    stage.reader(refund.pk, at="page:read").wait()
    stage.advance(700)
    stage.reader(refund.pk).wait()
    [still] = fresh([refund])
    stage.advance(700)
    stage.reader(refund.pk).wait()

    [after] = fresh([refund])
    assert still.status == S.UNKNOWN
    assert (after.status, after.error_code) == (S.FAILED, "absent_at_provider")
