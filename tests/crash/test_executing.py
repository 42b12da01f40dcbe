"""A worker dies at each boundary of an execution (E1 to E9): one refund, and nothing stuck."""

import signal

import pytest

from executors.enums import ExecutionStatus as S
from tests.crash.ledgers import problems
from tests.crash.recovering import RECOVERIES
from tests.crash.stage import Stage, fresh

#: Every boundary that a worker passes, by its number in the page of the executors.
BOUNDARIES = {
    "E1": "execution:claimed",
    "E1b": "execution:verified",
    "E2": "intent:written",
    "E3": "intent:committed",
    "E3b": "attempt:committed",
    "E7": "answer:read",
    "E8": "result:written",
    "E9": "result:committed",
}


@pytest.mark.parametrize("recovery", RECOVERIES)
@pytest.mark.parametrize("point", BOUNDARIES)
def test_a_worker_that_dies_is_followed_by_one_refund(
    point: str, recovery: str, stage: Stage
) -> None:
    execution = stage.decide(stage.pay())

    ended = stage.worker(execution.pk, at=BOUNDARIES[point]).wait()
    assert (ended.signal, ended.places[-1]) == (signal.SIGKILL, BOUNDARIES[point])
    RECOVERIES[recovery](stage, [execution])

    [after] = fresh([execution])
    assert after.status == S.SUCCEEDED
    assert problems(stage.ledger(), [after]) == []
