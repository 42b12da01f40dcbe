"""A worker dies, or is interrupted, at each boundary of an execution: one refund, nothing stuck."""

import signal

import pytest
from django.conf import settings

from executors.enums import ExecutionStatus as S
from executors.models import Execution
from tests.crash.children import freeze, lose_commit
from tests.crash.ledgers import problems
from tests.crash.recovering import RECOVERIES
from tests.crash.stage import Stage, all_but_readings, everything, fresh

#: Every boundary that a worker passes, by its number in the page of the executors.
BOUNDARIES = {
    "E0": "claim:written",
    "E1": "execution:claimed",
    "E1b": "execution:verified",
    "E2": "intent:written",
    "E3": "intent:committed",
    "E3a": "attempt:written",
    "E3b": "attempt:committed",
    "E7": "answer:read",
    "E8": "result:written",
    "E9": "result:committed",
}
#: Where a transaction is about to be committed.
COMMITS = ("E0", "E2", "E3a", "E8")


def recover(recovery: str, stage: Stage, execution: Execution) -> None:
    """Recover; what was over before is read about again at most."""
    [before] = fresh([execution])
    stored = all_but_readings([execution])

    RECOVERIES[recovery](stage, [execution])

    assert before.status != S.SUCCEEDED or all_but_readings([execution]) == stored


@pytest.mark.parametrize("recovery", RECOVERIES)
@pytest.mark.parametrize("point", BOUNDARIES)
def test_a_worker_that_dies_is_followed_by_one_refund(
    point: str, recovery: str, stage: Stage
) -> None:
    execution = stage.decide(stage.pay())

    ended = stage.worker(execution.pk, at=BOUNDARIES[point]).wait()
    assert (ended.signal, ended.places[-1]) == (signal.SIGKILL, BOUNDARIES[point])
    recover(recovery, stage, execution)

    [after] = fresh([execution])
    assert after.status == S.SUCCEEDED
    assert problems(stage.ledger(), [after]) == []


@pytest.mark.parametrize("recovery", RECOVERIES)
@pytest.mark.parametrize("point", COMMITS)
def test_a_worker_that_does_not_hear_its_commit_is_followed_by_one_refund(
    point: str, recovery: str, stage: Stage
) -> None:
    execution = stage.decide(stage.pay())

    ended = stage.worker(execution.pk, at=BOUNDARIES[point], fate=lose_commit).wait()
    assert "server closed the connection" in ended.trouble
    recover(recovery, stage, execution)

    [after] = fresh([execution])
    assert after.status == S.SUCCEEDED
    assert problems(stage.ledger(), [after]) == []


#: Not within a transaction: whoever is frozen there holds its locks, and nobody else goes on.
FREEZING = [point for point in BOUNDARIES if not BOUNDARIES[point].endswith(":written")]


@pytest.mark.parametrize("recovery", RECOVERIES)
@pytest.mark.parametrize("point", FREEZING)
def test_a_worker_that_wakes_after_its_lease_writes_nothing(
    point: str, recovery: str, stage: Stage
) -> None:
    execution = stage.decide(stage.pay())
    sleeper = stage.worker(execution.pk, at=BOUNDARIES[point], fate=freeze)
    sleeper.wait_frozen()
    recover(recovery, stage, execution)
    finished = everything([execution])

    sleeper.wake()
    ended = sleeper.wait()

    assert (ended.signal, ended.code) == (0, 0), ended.trouble
    assert everything([execution]) == finished
    [after] = fresh([execution])
    assert after.status == S.SUCCEEDED
    assert problems(stage.ledger(), [after]) == []


def test_a_worker_that_wakes_after_its_lease_sends_nothing(stage: Stage) -> None:
    execution = stage.decide(stage.pay())
    sleeper = stage.worker(execution.pk, at=BOUNDARIES["E3"], fate=freeze)
    sleeper.wait_frozen()
    stage.advance(settings.COUNTERSIGN_LEASE)

    sleeper.wake()
    ended = sleeper.wait()

    assert "answer:read" not in ended.places
    assert (stage.refunds(), execution.attempts.count()) == ([], 0)
    RECOVERIES["sweeper"](stage, [execution])
    assert problems(stage.ledger(), fresh([execution])) == []


@pytest.mark.parametrize("point", [point for point in FREEZING if point != "E9"])
def test_a_worker_that_wakes_while_another_has_its_work_writes_nothing(
    point: str, stage: Stage
) -> None:
    execution = stage.decide(stage.pay())
    sleeper = stage.worker(execution.pk, at=BOUNDARIES[point], fate=freeze)
    sleeper.wait_frozen()
    stage.advance(settings.COUNTERSIGN_LEASE)
    present = stage.worker(execution.pk, at=BOUNDARIES["E3b"], fate=freeze)
    present.wait_frozen()
    begun = everything([execution])

    sleeper.wake()
    assert sleeper.wait().code == 0
    assert everything([execution]) == begun
    present.wake()
    present.wait()

    [after] = fresh([execution])
    assert (after.status, after.fence) == (S.SUCCEEDED, 2)
    assert problems(stage.ledger(), [after]) == []


@pytest.mark.parametrize("point", ["E1", "E3b", "E7"])
def test_a_message_that_comes_again_within_the_lease_finds_nothing_to_do(
    point: str, stage: Stage
) -> None:
    execution = stage.decide(stage.pay())
    stage.worker(execution.pk, at=BOUNDARIES[point]).wait()
    begun = everything([execution])

    # As Celery does at once when it sees that a process of its pool is gone.
    again = stage.worker(execution.pk).wait()

    assert (again.code, again.places) == (0, [])
    assert everything([execution]) == begun


def test_a_clock_that_is_put_back_delays_what_was_interrupted_and_no_more(stage: Stage) -> None:
    execution = stage.decide(stage.pay())
    stage.worker(execution.pk, at=BOUNDARIES["E7"]).wait()

    stage.put_back(600)
    stage.advance(600)
    early = (stage.sweep(), stage.worker(execution.pk).wait().places)
    stage.advance(settings.COUNTERSIGN_LEASE)
    RECOVERIES["sweeper"](stage, [execution])

    assert early == (([], []), [])
    [after] = fresh([execution])
    assert (after.status, after.fence) == (S.SUCCEEDED, 2)
    assert problems(stage.ledger(), [after]) == []
