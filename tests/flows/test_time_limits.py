"""A request that hangs meets the soft limit; a process that hangs meets the hard one."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from tests.flows.conftest import World
from tests.flows.parts import Part
from tests.flows.polling import wait_until
from tests.flows.test_loop import claimed_by, script

#: Soft 6.1, hard 7.0 seconds.
LEASE = "8"

_OUTCOMES = (
    "SELECT outcome, error_code FROM executors_attempt WHERE execution_id = %s ORDER BY number"
)


@pytest.fixture(autouse=True, scope="module")
def no_patient_worker(world: World) -> Iterator[None]:
    """Nobody works with the usual lease."""
    with world.stack.without("money"):
        yield


def outcomes(world: World, request_id: str) -> list[tuple[str, str]]:
    """What became of each try: its class and its error code."""
    rows = world.query(_OUTCOMES, world.execution_id(request_id))
    return [(str(outcome), str(code)) for outcome, code in rows]


@pytest.fixture(scope="class")
def money(world: World) -> Iterator[Part]:
    """The money worker with a short lease."""
    with world.stack.another("money", COUNTERSIGN_LEASE=LEASE) as part:
        yield part


class TestCelery:
    def test_the_soft_limit_ends_requests_that_hang(self, world: World, money: Part) -> None:
        payments = [world.pay(), world.pay()]
        requests = [world.submit(payment) for payment in payments]
        for request_id, fault in zip(requests, ["hang", "hang_after"], strict=True):
            script(world, fault=fault)
            world.approve(request_id)

        for request_id in requests:
            world.execution(request_id, "SUCCEEDED")

        assert money.said().count("Soft time limit") == 2
        for request_id, payment in zip(requests, payments, strict=True):
            assert [outcome for outcome, _ in outcomes(world, request_id)] == ["AMBIGUOUS", "DONE"]
            assert len(world.refunds(payment)) == 1

    def test_the_hard_limit_ends_a_process_that_hangs(self, world: World, money: Part) -> None:
        payment = world.pay()
        request_id = world.submit(payment)
        script(world, fault="hang_after")
        world.approve(request_id)
        execution_id = world.execution_id(request_id)
        wait_until(lambda: world.attempts(execution_id), "the request to leave")
        os.kill(claimed_by(world, execution_id), signal.SIGSTOP)

        world.execution(request_id, "SUCCEEDED")

        assert "Hard time limit" in money.said()
        assert outcomes(world, request_id) == [("AMBIGUOUS", "worker_lost"), ("DONE", "")]
        assert len(world.refunds(payment)) == 1


class TestLoop:
    def test_the_soft_limit_ends_a_request_that_hangs(self, world: World) -> None:
        payment = world.pay()
        request_id = world.submit(payment)
        script(world, fault="hang_after")
        with world.stack.another("loop", COUNTERSIGN_LEASE=LEASE) as loop:
            world.approve(request_id)
            world.execution(request_id, "SUCCEEDED")
            assert loop.process is not None
            still_runs = loop.process.poll() is None

        assert still_runs
        assert [outcome for outcome, _ in outcomes(world, request_id)] == ["AMBIGUOUS", "DONE"]
        assert len(world.refunds(payment)) == 1

    def test_the_hard_limit_ends_a_process_that_hangs(self, world: World) -> None:
        payment = world.pay()
        request_id = world.submit(payment)
        script(world, fault="hang_after")
        stubborn = [sys.executable, "-m", "tests.flows.stubborn"]
        with world.stack.another("loop", *stubborn, COUNTERSIGN_LEASE=LEASE) as loop:
            world.approve(request_id)
            assert loop.process is not None
            code = loop.process.wait(30)
            said = loop.said()
        status = world.status(world.execution_id(request_id))
        with world.stack.another("loop"):
            world.execution(request_id, "SUCCEEDED")

        assert (code, status) == (1, "RUNNING")
        assert "The soft limit was not enough." in said
        assert "Timeout (0:00:07" in said, "where it hung is in the log"
        assert outcomes(world, request_id) == [("AMBIGUOUS", "worker_lost"), ("DONE", "")]
        assert len(world.refunds(payment)) == 1
