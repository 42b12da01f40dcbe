"""Our key is not accepted, or a brake is pulled: it waits, and goes on as one refund (E16, E18)."""

import logging

import pytest

from approvals.models.people import REVIEWERS
from audit import clock
from audit.actors import Actor
from executors import services
from executors.enums import ExecutionStatus as S
from executors.enums import HoldScope
from executors.models import Execution
from tests.conftest import make_person
from tests.crash.children import freeze
from tests.crash.ledgers import problems
from tests.crash.recovering import MOSTLY_BOTH, RECOVERIES, by_sweeper
from tests.crash.stage import Stage, fresh
from tests.crash.test_answers import once
from tests.crash.test_executing import BOUNDARIES

OPERATOR = Actor(kind="person", name="operator")


def is_parked(stage: Stage, execution: Execution) -> bool:
    """Whether all three ways to recover leave it alone, until it is tried again by itself."""
    before = fresh([execution])[0]
    stage.advance(200)
    found = [pk for pks in stage.sweep() for pk in pks]
    stage.worker(execution.pk).wait()
    stage.reader(execution.pk).wait()
    return found == [] and fresh([execution])[0].fence == before.fence


@pytest.mark.parametrize("recovery", RECOVERIES)
@pytest.mark.parametrize("fault", ["unauthorized", "forbidden"])
def test_a_key_that_is_not_accepted_parks_the_refund(
    fault: str, recovery: str, stage: Stage
) -> None:
    execution = stage.decide(stage.pay())
    stage.script(once(fault))

    stage.worker(execution.pk).wait()
    [held] = fresh([execution])
    parked = is_parked(stage, execution)
    services.release(
        execution_id=execution.pk, user=make_person("operator", REVIEWERS), reason="Key repaired."
    )
    RECOVERIES[recovery](stage, [execution])

    assert (held.status, held.ambiguous, parked) == (S.HELD, False, True)
    [after] = fresh([execution])
    assert (after.status, after.attempts.count()) == (S.SUCCEEDED, 2)
    assert problems(stage.ledger(), [after]) == []


@pytest.mark.parametrize("fault", ["unauthorized", "forbidden"])
def test_after_the_repair_it_goes_on_without_a_person(fault: str, stage: Stage) -> None:
    execution = stage.decide(stage.pay())
    stage.script(once(fault), once(fault), once(fault))

    stage.worker(execution.pk).wait()
    by_sweeper(stage, [execution])

    [after] = fresh([execution])
    assert (after.status, after.attempts.count()) == (S.SUCCEEDED, 4)
    assert problems(stage.ledger(), [after]) == []


@pytest.mark.parametrize("fault", ["unauthorized", "forbidden"])
def test_a_key_that_is_not_accepted_is_an_alarm(
    fault: str, stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    execution = stage.decide(stage.pay())
    stage.script(once(fault))

    with caplog.at_level(logging.CRITICAL, logger="countersign.alarm"):
        services.run(execution_id=execution.pk, worker="here")

    assert execution.pk in caplog.text


@pytest.mark.parametrize("fault", ["unauthorized", "forbidden"])
def test_a_key_that_may_not_even_read_parks_the_refund_with_an_alarm(
    fault: str, stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    execution = stage.decide(stage.pay())
    broken = {"match": {"method": "GET", "path": "/v1/payment_intents/*"}, "fault": fault}
    stage.script(broken | {"times": 2})

    with caplog.at_level(logging.CRITICAL, logger="countersign.alarm"):
        services.run(execution_id=execution.pk, worker="here")
    [held] = fresh([execution])
    by_sweeper(stage, [execution])

    assert held.status == S.HELD
    assert execution.pk in caplog.text
    [after] = fresh([execution])
    assert (after.status, after.attempts.count()) == (S.SUCCEEDED, 1)
    assert problems(stage.ledger(), [after]) == []


@pytest.mark.parametrize("recovery", MOSTLY_BOTH)
@pytest.mark.parametrize("first", ["drop_before", "drop_after"])
@pytest.mark.parametrize("fault", ["unauthorized", "forbidden"])
def test_a_key_that_fails_after_a_lost_answer_delays_the_refund(
    fault: str, first: str, recovery: str, stage: Stage
) -> None:
    execution = stage.decide(stage.pay())
    stage.script(once(first), once(fault))

    stage.worker(execution.pk).wait()
    stage.pass_time(fresh([execution]))
    stage.worker(execution.pk).wait()
    [waiting] = fresh([execution])
    RECOVERIES[recovery](stage, [execution])

    assert (waiting.status, waiting.ambiguous) == (S.RUNNING, True)
    [after] = fresh([execution])
    assert (after.status, after.attempts.count()) == (S.SUCCEEDED, 3)
    assert problems(stage.ledger(), [after]) == []


@pytest.mark.parametrize("recovery", RECOVERIES)
@pytest.mark.parametrize("point", ["E1", "E1b", "E3"])
def test_a_kill_switch_stops_what_has_not_left(point: str, recovery: str, stage: Stage) -> None:
    execution = stage.decide(stage.pay())
    worker = stage.worker(execution.pk, at=BOUNDARIES[point], fate=freeze)
    worker.wait_frozen()
    everything = {"scope": HoldScope.EVERYTHING, "value": "", "actor": OPERATOR}
    services.set_hold(**everything, reason="Stop.", at=clock.now())

    worker.wake()
    worker.wait()
    [held] = fresh([execution])
    parked = is_parked(stage, execution)
    sent = (stage.refunds(), execution.attempts.count())
    services.lift_holds(**everything, reason="Go on.", at=clock.now())
    RECOVERIES[recovery](stage, [execution])

    assert (held.status, parked, sent) == (S.HELD, True, ([], 0))
    [after] = fresh([execution])
    assert after.status == S.SUCCEEDED
    assert problems(stage.ledger(), [after]) == []
