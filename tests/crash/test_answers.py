"""The provider's answer is lost, broken or a refusal; the worker may die of it too (E4 to E6)."""

import os
import signal
from typing import Any

import pytest

from executors.enums import AttemptClass
from executors.enums import ExecutionStatus as S
from executors.models import Attempt
from tests.crash.ledgers import problems
from tests.crash.recovering import RECOVERIES
from tests.crash.stage import Stage, fresh
from tests.flows.polling import wait_until

#: What the local Stripe does with the first request, by its number in the page of the executors.
LOST = {
    "E4": "refuse",
    "E4b": "drop_before",
    "E4c": "unavailable",
    "E4d": "in_use",
    "E5": "drop_after",
    "E6": "truncate",
    "E6b": "not_json",
}


def once(fault: str, **more: Any) -> dict[str, Any]:
    return {"match": {"method": "POST", "path": "/v1/refunds"}, "fault": fault, **more}


@pytest.mark.parametrize("recovery", RECOVERIES)
@pytest.mark.parametrize("point", LOST)
def test_a_lost_answer_is_followed_by_one_refund(point: str, recovery: str, stage: Stage) -> None:
    execution = stage.decide(stage.pay())
    stage.script(once(LOST[point]))

    assert stage.worker(execution.pk).wait().code == 0
    [waiting] = fresh([execution])
    assert (waiting.status, waiting.ambiguous) == (S.RUNNING, True)
    RECOVERIES[recovery](stage, [execution])

    [after] = fresh([execution])
    outcomes = list(after.attempts.values_list("outcome", flat=True))
    assert (after.status, outcomes) == (S.SUCCEEDED, [AttemptClass.AMBIGUOUS, AttemptClass.DONE])
    assert problems(stage.ledger(), [after]) == []


@pytest.mark.parametrize("recovery", RECOVERIES)
@pytest.mark.parametrize(("point", "paid"), [("hang", 0), ("hang_after", 1)])
def test_a_worker_that_is_killed_while_it_waits_is_followed_by_one_refund(
    point: str, paid: int, recovery: str, stage: Stage
) -> None:
    execution = stage.decide(stage.pay())
    stage.script(once(point))
    waiting = stage.worker(execution.pk)
    stage.wait_for_faults()
    wait_until(lambda: len(stage.refunds()) == paid, "Stripe to have done its part")

    waiting.kill()
    assert waiting.wait().places[-1] == "attempt:committed"
    RECOVERIES[recovery](stage, [execution])

    [after] = fresh([execution])
    assert after.status == S.SUCCEEDED
    assert after.attempts.get(number=1).error_code == "worker_lost"
    assert problems(stage.ledger(), [after]) == []


@pytest.mark.parametrize("recovery", RECOVERIES)
@pytest.mark.parametrize(
    ("interruption", "ended_by", "first"),
    [
        # What the timer of the soft limit sends, and what a pool sends that is told to stop.
        ("SIGALRM", 0, ("AMBIGUOUS", "connection_error")),
        ("SIGTERM", signal.SIGTERM, ("AMBIGUOUS", "worker_lost")),
    ],
    ids=("E11", "E12"),
)
def test_a_worker_that_is_interrupted_while_it_waits_is_followed_by_one_refund(
    interruption: str, ended_by: int, first: tuple[str, str], recovery: str, stage: Stage
) -> None:
    execution = stage.decide(stage.pay())
    stage.script(once("hang_after"))
    waiting = stage.limited_worker(execution.pk)
    stage.wait_for_faults()
    wait_until(lambda: len(stage.refunds()) == 1, "Stripe to have done its part")

    os.kill(waiting.pid, signal.Signals[interruption])
    ended = waiting.wait()
    assert (ended.signal, ended.code) == (ended_by, 0), ended.trouble
    RECOVERIES[recovery](stage, [execution])

    [after] = fresh([execution])
    assert after.status == S.SUCCEEDED
    assert list(after.attempts.values_list("outcome", "error_code")) == [first, ("DONE", "")]
    assert problems(stage.ledger(), [after]) == []


def test_nobody_asks_again_before_the_provider_said_so(stage: Stage) -> None:
    execution = stage.decide(stage.pay())
    stage.script(once("rate_limit", retry_after=600))

    stage.worker(execution.pk).wait()
    stage.advance(590)
    early = (stage.sweep(), stage.worker(execution.pk).wait().places)
    [waiting] = fresh([execution])
    RECOVERIES["both"](stage, [execution])

    assert early == (([], []), [])
    assert (waiting.status, waiting.ambiguous) == (S.RUNNING, False)
    [after] = fresh([execution])
    assert (after.status, after.attempts.count()) == (S.SUCCEEDED, 2)
    assert problems(stage.ledger(), [after]) == []


@pytest.mark.parametrize("recovery", RECOVERIES)
def test_a_stored_500_is_not_hammered(recovery: str, stage: Stage) -> None:
    execution = stage.decide(stage.pay())
    stage.script(once("stored_500"))

    stage.worker(execution.pk).wait()
    for _ in range(4):
        stage.pass_time(fresh([execution]))
        stage.worker(execution.pk).wait()
    [given_up] = fresh([execution])
    # Absence counts once nothing can be sent any more, and the last try is an hour old.
    stage.advance(5 * 3600)
    RECOVERIES[recovery](stage, [execution])

    assert (given_up.status, given_up.attempts.filter(http_status=500).count()) == (S.UNKNOWN, 5)
    [after] = fresh([execution])
    assert (after.status, after.error_code) == (S.FAILED, "absent_at_provider")
    assert after.attempts.count() == 5
    assert problems(stage.ledger(), [after]) == []


def test_two_decisions_of_one_amount_are_two_refunds(stage: Stage) -> None:
    payment = stage.pay()
    executions = [stage.decide(payment, 5000) for _ in range(2)]
    stage.script(once("drop_after"))

    RECOVERIES["both"](stage, executions)

    assert [execution.status for execution in fresh(executions)] == [S.SUCCEEDED, S.SUCCEEDED]
    assert [refund["amount"] for refund in stage.refunds()] == [5000, 5000]
    assert problems(stage.ledger(), fresh(executions)) == []


def test_two_decisions_that_exceed_the_payment_are_one_refund(stage: Stage) -> None:
    payment = stage.pay()
    executions = [stage.decide(payment, 9500) for _ in range(2)]
    stage.script(once("drop_after"))

    RECOVERIES["both"](stage, executions)

    assert sorted(e.status for e in fresh(executions)) == [S.FAILED, S.SUCCEEDED]
    assert Attempt.objects.filter(outcome=AttemptClass.FINAL).count() == 1
    assert problems(stage.ledger(), fresh(executions)) == []
