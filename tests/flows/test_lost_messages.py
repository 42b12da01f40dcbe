"""Messages get lost, or come too late (Q1, Q2, Q4): what is to be done is in the database."""

import base64
import json
from collections.abc import Iterator

import pytest
import redis

from tests.flows.conftest import World


@pytest.fixture
def queue(world: World) -> Iterator["redis.Redis"]:
    """The broker itself, past Celery."""
    with redis.Redis(unix_socket_path=str(world.stack.broker.socket)) as client:
        yield client


def take(queue: "redis.Redis", execution_id: str) -> None:
    """Take the message as a worker takes it, which then dies before it says so.

    Before it there may be messages about what other tests have done, such as events to be read.
    """
    while True:
        taken = queue.brpop("money", timeout=20)
        assert taken is not None, "nobody was rung for"
        message = json.loads(taken[1])  # type: ignore[index]
        _, arguments, _ = json.loads(base64.b64decode(message["body"]))
        told = (message["headers"]["task"], arguments.get("execution_id"))
        if told == ("executors.tasks.run", execution_id):
            return


def test_a_message_that_was_taken_and_lost_costs_nothing(
    world: World, queue: "redis.Redis"
) -> None:
    payment = world.pay()
    request_id = world.submit(payment)
    with world.stack.without("money"):
        world.approve(request_id)
        take(queue, world.execution_id(request_id))
        queue.delete("money")

    assert world.execution(request_id, "SUCCEEDED")
    assert world.attempts(world.execution_id(request_id)) == 1
    assert len(world.refunds(payment)) == 1


def test_a_broker_that_forgets_everything_costs_nothing(world: World, queue: "redis.Redis") -> None:
    payments = [world.pay(), world.pay()]
    requests = [world.submit(payment) for payment in payments]
    with world.stack.without("money"):
        world.approve(requests[0])
        queue.flushall()
    queue.flushall()
    world.approve(requests[1])

    for request_id, payment in zip(requests, payments, strict=True):
        assert world.execution(request_id, "SUCCEEDED")
        assert world.attempts(world.execution_id(request_id)) == 1
        assert len(world.refunds(payment)) == 1


def test_messages_about_what_is_over_do_nothing(world: World) -> None:
    payment = world.pay()
    executed, revoked, rejected, withdrawn = (world.submit(payment, 100) for _ in range(4))
    world.reviewer.decide(rejected, "reject", "The parcel was delivered.")
    world.agent.post(f"requests/{withdrawn}/withdrawal")
    world.approve(executed)
    world.execution(executed, "SUCCEEDED")
    with world.stack.without("money"):
        world.approve(revoked)
        path = f"/admin/executors/execution/{world.execution_id(revoked)}/revoke/"
        world.steer(world.reviewer, path, "Wrong customer.")
    names = [world.execution_id(executed), world.execution_id(revoked), rejected, withdrawn]
    everything = "SELECT * FROM executors_historicalexecution ORDER BY history_id"
    before = world.query(everything)

    for message in [world.ring(name) for name in names]:
        world.wait_done(message)

    assert world.query(everything) == before
    assert [world.agent.request(r)["status"] for r in (rejected, withdrawn)] == [
        "REJECTED",
        "WITHDRAWN",
    ]
    assert world.attempts(names[1]) == 0
    assert [refund.amount for refund in world.refunds(payment)] == [100]
