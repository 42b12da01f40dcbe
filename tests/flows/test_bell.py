"""Celery and its broker are a bell: lost, doubled or forged messages do no harm."""

import signal
import time

from tests.flows.conftest import World

#: Seconds that a person may wait while the broker hangs: for the pages, the decision and all. The
#: broker is asked once, and for one second.
BOUND = 4


def test_messages_about_nothing_do_nothing(world: World) -> None:
    payment = world.pay()
    request_id = world.submit(payment)
    world.approve(request_id)
    before = world.execution(request_id, "SUCCEEDED")
    execution_id = world.execution_id(request_id)
    facts = "SELECT count(*) FROM executors_historicalexecution WHERE subject = %s"
    recorded = world.query(facts, request_id)

    for forged in (execution_id, request_id, "exe_forged", "", "' OR 1=1 --"):
        world.wait_done(world.ring(forged))

    assert world.agent.request(request_id)["execution"] == before
    assert world.query(facts, request_id) == recorded
    assert world.attempts(execution_id) == 1
    assert len(world.refunds(payment)) == 1


def test_five_messages_at_once_are_one_refund(world: World) -> None:
    payment = world.pay()
    request_id = world.submit(payment)
    with world.stack.without("money"):
        world.approve(request_id)
        execution_id = world.execution_id(request_id)
        messages = [world.ring(execution_id) for _ in range(5)]

    for message in messages:
        world.wait_done(message)

    assert world.execution(request_id, "SUCCEEDED")
    assert world.attempts(execution_id) == 1
    assert len(world.refunds(payment)) == 1


def test_a_decision_commits_while_the_broker_is_gone(world: World) -> None:
    payment = world.pay()
    request_id = world.submit(payment)
    with world.stack.without("broker"):
        started = time.monotonic()
        world.approve(request_id)
        took = time.monotonic() - started
        request = world.agent.request(request_id)

    assert took < BOUND
    assert (request["status"], request["execution"]["status"]) == ("APPROVED", "QUEUED")
    assert world.execution(request_id, "SUCCEEDED"), "the sweeper finds it in the database"
    assert len(world.refunds(payment)) == 1


def test_a_decision_commits_while_the_broker_is_frozen(world: World) -> None:
    payment = world.pay()
    request_id = world.submit(payment)
    broker = world.stack.parts["broker"]
    broker.signal(signal.SIGSTOP)
    try:
        started = time.monotonic()
        world.approve(request_id)
        took = time.monotonic() - started
        request = world.agent.request(request_id)
    finally:
        broker.signal(signal.SIGCONT)

    assert took < BOUND
    assert (request["status"], request["execution"]["status"]) == ("APPROVED", "QUEUED")
    assert world.execution(request_id, "SUCCEEDED")
    assert len(world.refunds(payment)) == 1
