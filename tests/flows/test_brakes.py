"""What stops an approved refund before it leaves: holds, suspension, revocation, its own time."""

from tests.flows.conftest import World
from tests.flows.polling import wait_until
from tests.flows.web import Browser


def execution_path(execution_id: str, verb: str) -> str:
    return f"/admin/executors/execution/{execution_id}/{verb}/"


def test_a_suspended_agents_queued_refund_waits_and_then_runs_once(world: World) -> None:
    agent, payment = world.new_agent("suspended-agent"), world.pay()
    admin = world.sign_in("admin")
    request_id = world.submit(payment, agent=agent)
    [[agent_id]] = world.query("SELECT id FROM approvals_agent WHERE name = 'suspended-agent'")
    with world.stack.without("money"):
        world.approve(request_id)
        execution_id = world.execution_id(request_id)
        world.steer(admin, f"/admin/approvals/agent/{agent_id}/suspend/", "It behaves oddly.")
        message = world.ring(execution_id)
    world.wait_done(message)
    refused = agent.get(f"requests/{request_id}")
    held, refunds = world.status(execution_id), world.refunds(payment)

    world.steer(admin, f"/admin/approvals/agent/{agent_id}/resume/", "A misunderstanding.")
    execution = wait_until(
        lambda: world.status(execution_id) == "SUCCEEDED", f"{execution_id} to succeed"
    )

    assert (refused.status, refused.json["code"]) == (401, "agent_suspended")
    assert (held, refunds) == ("HELD", [])
    assert execution
    assert world.attempts(execution_id) == 1
    assert len(world.refunds(payment)) == 1


def test_a_held_refund_runs_when_it_is_released(world: World) -> None:
    payment = world.pay()
    request_id = world.submit(payment)
    with world.stack.without("money"):
        world.approve(request_id)
        execution_id = world.execution_id(request_id)
        world.steer(world.reviewer, execution_path(execution_id, "hold"), "Wait for the courier.")
        message = world.ring(execution_id)
    world.wait_done(message)
    held = world.execution(request_id, "HELD")
    refunds = world.refunds(payment)

    world.steer(world.reviewer, execution_path(execution_id, "release"), "The courier called.")

    assert held["error"]["code"] == "hold"
    assert refunds == []
    assert world.execution(request_id, "SUCCEEDED")
    assert len(world.refunds(payment)) == 1


def test_a_revoked_approval_is_never_carried_out(world: World) -> None:
    payment = world.pay()
    request_id = world.submit(payment)
    with world.stack.without("money"):
        world.approve(request_id)
        execution_id = world.execution_id(request_id)
        world.steer(world.reviewer, execution_path(execution_id, "revoke"), "Wrong customer.")
        message = world.ring(execution_id)
    world.wait_done(message)

    assert world.execution(request_id, "REFUSED")["error"]["code"] == "revoked"
    assert world.attempts(execution_id) == 0
    assert world.refunds(payment) == []


def test_past_its_time_an_approved_refund_is_refused(world: World) -> None:
    payment = world.pay()
    request_id = world.submit(payment)
    with (
        world.stack.another_web(COUNTERSIGN_EXECUTE_WITHIN="1") as base_url,
        world.stack.without("money"),
    ):
        reviewer = Browser(base_url).sign_in("reviewer", world.passwords["reviewer"])
        reviewer.decide(request_id, "approve", "In a hurry.")
        message = world.ring(world.execution_id(request_id))
        # No worker lives, so it is the sweeper that says so.
        refused = world.execution(request_id, "REFUSED")
    world.wait_done(message)

    assert refused["error"]["code"] == "expired"
    assert world.agent.request(request_id)["status"] == "APPROVED", "a decision stays one"
    assert world.refunds(payment) == []
