"""Past its deadline nothing is approved, whether or not anybody has cleaned up."""

from tests.flows.conftest import World
from tests.flows.polling import wait_until

_STORED = "SELECT status FROM approvals_approvalrequest WHERE id = %s"
_LAST_FACT = (
    "SELECT actor, event FROM approvals_historicalapprovalrequest WHERE subject = %s "
    "ORDER BY number DESC LIMIT 1"
)


def is_expired(world: World, request_id: str) -> bool:
    return bool(world.agent.request(request_id)["status"] == "EXPIRED")


def test_beat_expires_what_nobody_decided(world: World) -> None:
    request_id = world.submit(world.pay(), expires_in=1)

    wait_until(
        lambda: world.query(_STORED, request_id) == [("EXPIRED",)], "beat to expire the request"
    )

    assert is_expired(world, request_id)
    assert world.query(_LAST_FACT, request_id) == [("system:expiry", "request:expire")]


def test_without_beat_it_is_expired_all_the_same(world: World) -> None:
    payment = world.pay()
    with world.stack.without("beat"):
        request_id = world.submit(payment, expires_in=1)
        page = world.reviewer.get(world.reviewer.decide_path(request_id))
        wait_until(lambda: is_expired(world, request_id), "the deadline to pass")

        answer = world.reviewer.post(
            page, outcome="approve", reason="Too late.", digest=page.hidden("digest")
        )
        withdrawal = world.agent.post(f"requests/{request_id}/withdrawal")
        stored = world.query(_STORED, request_id)

    assert stored == [("PENDING",)], "beat is dead: nobody has written it down yet"
    assert answer.status == 409
    assert (withdrawal.status, withdrawal.json["code"]) == (409, "not_pending")
    assert world.query("SELECT 1 FROM executors_execution WHERE subject = %s", request_id) == []
    assert world.refunds(payment) == []
