"""A worker of Celery's own is interrupted within its call (E11, E12): one refund each time."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.flows.conftest import World
from tests.flows.parts import Part
from tests.flows.stack import money_in_other_hands

#: A short lease: soft and hard limits of 9.12 and 10.56 s. The local Stripe is silent for longer.
LEASE = {"COUNTERSIGN_LEASE": "12"}
HANG = {"match": {"method": "POST", "path": "/v1/refunds"}, "fault": "hang"}


class Interrupted:
    """A refund whose first request hangs, and the process of the pool that waits for it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.payment = world.pay()
        self.request_id = world.submit(self.payment)
        world.approve(self.request_id)
        self.execution_id = world.execution_id(self.request_id)

    def signal(self, number: int) -> None:
        """Send a signal to the process that has it now."""
        claimed = "SELECT claimed_by FROM executors_execution WHERE id = %s"
        [[worker]] = self._world.query(claimed, self.execution_id)
        os.kill(int(worker.rpartition(":")[2]), number)

    def tries(self) -> list[tuple[Any, ...]]:
        """What each try proved."""
        statement = (
            "SELECT outcome, error_code FROM executors_attempt WHERE execution_id = %s ORDER BY id"
        )
        return self._world.query(statement, self.execution_id)

    def check_one_refund(self) -> None:
        """It ends well, and once."""
        assert self._world.execution(self.request_id, "SUCCEEDED")
        assert len(self._world.refunds(self.payment)) == 1


@pytest.fixture
def worker(world: World) -> Iterator[Part]:
    """A money worker with a short lease; it does not run yet."""
    with money_in_other_hands(world.stack, **LEASE) as worker:
        yield worker


def test_a_worker_that_meets_its_soft_limit_is_followed_by_one_refund(
    world: World, worker: Part
) -> None:
    refund = Interrupted(world)
    world.script_faults(HANG)
    worker.start()
    world.wait_for_faults()

    refund.check_one_refund()

    # On a very busy machine the hard limit comes before all of this is written down.
    assert "Soft time limit (9.12" in worker.said()
    assert [outcome for outcome, _ in refund.tries()] == ["AMBIGUOUS", "DONE"]


def test_a_worker_that_is_told_to_stop_finishes_its_call(world: World, worker: Part) -> None:
    worker.start()
    worker.wait_ready()
    world.script_faults(HANG | {"seconds": 2})
    refund = Interrupted(world)
    world.wait_for_faults()

    worker.stop()
    ended = worker.process.returncode if worker.process else None
    [heard] = refund.tries()
    worker.start()

    assert (ended, heard) == (0, ("AMBIGUOUS", "connection_error"))
    refund.check_one_refund()
    assert len(refund.tries()) == 2
