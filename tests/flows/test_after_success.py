"""What becomes of a refund after its success, told by the provider's own events."""

from tests.executors.stripe.switches import press, webhooks
from tests.flows.conftest import World
from tests.flows.polling import wait_until

EVENTS = "SELECT count(*) FROM executors_providerevent WHERE execution_id = %s"


def test_a_refund_that_fails_later_is_reversed_within_seconds(world: World) -> None:
    request_id = world.submit(world.pay())
    world.approve(request_id)
    receipt = world.execution(request_id, "SUCCEEDED")["receipt"]

    press(world.stack.stripe, f"refunds/{receipt['reference']}/settle", {"status": "failed"})
    execution = world.execution(request_id, "REVERSED")

    assert (execution["provider_status"], execution["receipt"]) == ("failed", receipt)
    assert execution["error"]["code"] == "expired_or_canceled_card"


def test_every_event_is_kept_once_although_it_comes_twice(world: World) -> None:
    webhooks(world.stack.stripe, mode="twice")
    try:
        request_id = world.submit(world.pay())
        world.approve(request_id)
        world.execution(request_id, "SUCCEEDED")
        idle = lambda: webhooks(world.stack.stripe)["waiting"] == 0  # noqa: E731
        wait_until(idle, "every event to be delivered")
    finally:
        webhooks(world.stack.stripe, mode="normal")

    assert world.query(EVENTS, world.execution_id(request_id)) == [(1,)]
    assert {told["answer"] for told in webhooks(world.stack.stripe)["deliveries"]} == {200}
