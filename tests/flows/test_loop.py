"""The money loop: what no message announced is carried out all the same, once."""

import json
import signal
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from approvals.api.throttling import redis_address
from tests.flows.conftest import World
from tests.flows.polling import wait_until


def script(world: World, **fault: Any) -> None:
    """Let the next refund at the local Stripe meet a fault."""
    line = {"match": {"method": "POST", "path": "/v1/refunds"}, **fault}
    request = urllib.request.Request(
        f"{world.stack.stripe.base_url}/_local/faults",
        data=json.dumps([line]).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def claimed_by(world: World, execution_id: str) -> int:
    """The process id of the worker that claimed an execution last; 0 when nobody has."""
    statement = "SELECT claimed_by FROM executors_execution WHERE id = %s"
    return int(str(world.query(statement, execution_id)[0][0]).rpartition(":")[2] or 0)


def flush(world: World) -> None:
    """Let the broker forget everything."""
    with redis.Redis.from_url(redis_address(world.stack.broker.url)) as client:
        client.flushall()


def test_without_a_broker_the_loop_alone_carries_out_and_nobody_repeats_it(world: World) -> None:
    payments = [world.pay() for _ in range(3)]
    with world.stack.without("broker"), world.stack.another("loop") as loop:
        requests = [world.submit(payment) for payment in payments]
        for request_id in requests:
            world.approve(request_id)
        for request_id in requests:
            world.execution(request_id, "SUCCEEDED")
        assert loop.process is not None
        executions = [world.execution_id(request_id) for request_id in requests]
        workers = {claimed_by(world, execution_id) for execution_id in executions}

    for execution_id in executions:
        world.wait_done(world.ring(execution_id))

    assert workers == {loop.process.pid}
    assert [world.attempts(execution_id) for execution_id in executions] == [1, 1, 1]
    assert [len(world.refunds(payment)) for payment in payments] == [1, 1, 1]


def test_a_flushed_broker_is_rung_again_by_the_sweeper(world: World) -> None:
    payment = world.pay()
    request_id = world.submit(payment)
    with world.stack.without("money"):
        world.approve(request_id)
        flush(world)

    world.execution(request_id, "SUCCEEDED")

    assert world.attempts(world.execution_id(request_id)) == 1
    assert len(world.refunds(payment)) == 1


def test_a_broker_that_is_flushed_while_everything_runs_is_used_again(world: World) -> None:
    flush(world)
    payment = world.pay()
    request_id = world.submit(payment)
    world.approve(request_id)

    world.execution(request_id, "SUCCEEDED")

    assert len(world.refunds(payment)) == 1


@pytest.fixture(scope="class")
def alone(world: World) -> Iterator[None]:
    with world.stack.without("money"):
        yield


@pytest.mark.usefixtures("alone")
class TestAlone:
    """No worker but the loop."""

    def test_it_finds_what_the_broker_forgot(self, world: World) -> None:
        payment = world.pay()
        request_id = world.submit(payment)
        world.approve(request_id)
        flush(world)

        with world.stack.another("loop"):
            world.execution(request_id, "SUCCEEDED")

        assert world.attempts(world.execution_id(request_id)) == 1
        assert len(world.refunds(payment)) == 1

    def test_asked_to_stop_it_finishes_its_request(self, world: World) -> None:
        payment = world.pay()
        request_id = world.submit(payment)
        script(world, fault="slow", seconds=2)
        world.approve(request_id)
        execution_id = world.execution_id(request_id)
        with world.stack.another("loop") as loop:
            wait_until(lambda: world.attempts(execution_id), "the request to leave")
            loop.stop()
            said, status = loop.said(), world.status(execution_id)

        assert loop.process is not None
        assert (loop.process.returncode, status) == (0, "SUCCEEDED")
        assert said.endswith("Stopped.\n")
        assert world.attempts(execution_id) == 1
        assert len(world.refunds(payment)) == 1

    def test_killed_it_is_followed_by_another(self, world: World) -> None:
        payment = world.pay()
        request_id = world.submit(payment)
        script(world, fault="hang_after")
        world.approve(request_id)
        execution_id = world.execution_id(request_id)
        with world.stack.another("loop", COUNTERSIGN_LEASE="4") as loop:
            wait_until(lambda: world.attempts(execution_id), "the request to leave")
            loop.signal(signal.SIGKILL)
        with world.stack.another("loop"):
            world.execution(request_id, "SUCCEEDED")

        assert world.attempts(execution_id) == 2
        assert len(world.refunds(payment)) == 1
