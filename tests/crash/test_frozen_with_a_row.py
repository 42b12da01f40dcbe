"""A worker that is frozen with a row locked keeps nobody from stopping all the others."""

import pytest
from django.db import connection

from audit import actors, clock
from executors import services
from executors.enums import ExecutionStatus as S
from executors.enums import HoldScope
from executors.models import Hold
from tests.crash.children import freeze
from tests.crash.stage import Stage, fresh

OPERATOR = actors.Actor(kind="person", name="operator")

#: Between the lock and the COMMIT. On SQLite that would be the lock of the whole database, which
#: no process is given while another has it: there the worker is frozen just after the COMMIT.
CLAIMING, TRYING = (
    ("claim:written", "attempt:written")
    if connection.vendor == "postgresql"
    else ("execution:claimed", "attempt:committed")
)


def stop_everything() -> Hold:
    return services.set_hold(
        scope=HoldScope.EVERYTHING, value="", actor=OPERATOR, reason="Stop.", at=clock.now()
    )


@pytest.mark.parametrize("point", [CLAIMING, TRYING])
def test_everything_else_is_stopped_at_once(point: str, stage: Stage) -> None:
    frozen, queued = stage.decide(stage.pay()), stage.decide(stage.pay())
    sleeper = stage.worker(frozen.pk, at=point, fate=freeze)
    sleeper.wait_frozen()

    hold = stop_everything()

    late = stage.decide(stage.pay())
    services.run(execution_id=late.pk, worker="another")
    assert [(e.status, e.held_by_id) for e in fresh([queued, late])] == [(S.HELD, hold.pk)] * 2
    assert stage.refunds() == []


def test_what_was_frozen_in_its_claim_meets_the_hold_when_it_wakes(stage: Stage) -> None:
    execution = stage.decide(stage.pay())
    sleeper = stage.worker(execution.pk, at=CLAIMING, fate=freeze)
    sleeper.wait_frozen()
    hold = stop_everything()

    sleeper.wake()
    ended = sleeper.wait()

    assert ended.code == 0, ended.trouble
    [after] = fresh([execution])
    assert (after.status, after.held_by_id) == (S.HELD, hold.pk)
    assert (stage.refunds(), after.attempts.count()) == ([], 0)


def test_what_was_frozen_in_its_claim_and_dies_is_held_when_it_is_found(stage: Stage) -> None:
    execution = stage.decide(stage.pay())
    sleeper = stage.worker(execution.pk, at=CLAIMING, fate=freeze)
    sleeper.wait_frozen()
    hold = stop_everything()

    sleeper.kill()
    sleeper.wait()
    stage.pass_time(fresh([execution]))
    for found in stage.sweep()[0]:
        services.run(execution_id=found, worker="another")

    [after] = fresh([execution])
    assert (after.status, after.held_by_id) == (S.HELD, hold.pk)
    assert stage.refunds() == []
