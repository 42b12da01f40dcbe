"""The main job, from the agent's proposal to the provider's receipt."""

import json
from typing import Any

from audit.canonical import digest_of
from audit.signing import tokens
from tests.flows.conftest import World


def decision_of(world: World, request_id: str) -> Any:
    answer = world.agent.get(f"requests/{request_id}/decision")
    assert answer.status == 200, answer.text
    return answer.json


def test_an_approved_refund_is_carried_out_and_receipted(world: World) -> None:
    payment = world.pay(12000)
    request_id = world.submit(payment, 9500, reason="Parcel never arrived.")
    waiting = world.agent.request(request_id)
    page = world.reviewer.get(world.reviewer.decide_path(request_id))

    world.approve(request_id)
    execution = world.execution(request_id, "SUCCEEDED", "FAILED", "REFUSED", "UNKNOWN")

    assert (waiting["status"], waiting["decision"], waiting["execution"]) == ("PENDING", None, None)
    assert payment in page.text
    assert "95.00 USD" in page.text
    assert "120.00 USD" in page.text, "the captured amount, which only the provider's facts tell"
    [refund] = world.refunds(payment)
    assert execution["status"] == "SUCCEEDED"
    assert execution["provider_status"] == refund.status == "succeeded"
    assert execution["receipt"]["reference"] == refund.id
    assert (execution["receipt"]["amount"], execution["receipt"]["currency"]) == (9500, "usd")
    assert refund.amount == 9500


def test_the_refund_at_stripe_names_its_decision(world: World) -> None:
    payment = world.pay()
    request_id = world.submit(payment)
    world.approve(request_id)
    world.execution(request_id, "SUCCEEDED")

    decision = decision_of(world, request_id)
    [refund] = world.refunds(payment)
    events = world.stripe.v1.events.list({"type": "refund.created", "limit": 100}).data
    [event] = [found for found in events if found.data.object["id"] == refund.id]

    assert refund.metadata.to_dict() == {
        "countersign_request": request_id,
        "countersign_decision": decision["id"],
        "countersign_token_sha256": tokens.token_digest(decision["token"]),
    }
    assert event.request is not None
    assert event.request.idempotency_key == f"cs_{decision['id']}"


def test_a_patched_payload_is_what_is_carried_out(world: World) -> None:
    payment = world.pay()
    request_id = world.submit(payment, 9500)
    patched = {"payment_intent": payment, "amount": 4000, "currency": "usd"}

    world.approve(request_id, payload=json.dumps(patched))
    world.execution(request_id, "SUCCEEDED")

    decision = decision_of(world, request_id)
    claims = tokens.unverified_claims(decision["token"])
    assert world.agent.request(request_id)["status"] == "APPROVED_WITH_MODIFICATIONS"
    assert decision["patched_payload"] == claims["payload"] == patched
    assert claims["payload_sha256"] == digest_of(patched)
    assert decision["diff"] == [{"op": "replace", "path": "/amount", "value": 4000}]
    assert [refund.amount for refund in world.refunds(payment)] == [4000]


def test_a_rejected_refund_never_reaches_stripe(world: World) -> None:
    payment = world.pay()
    request_id = world.submit(payment)

    answer = world.reviewer.decide(request_id, "reject", "The parcel was delivered.")

    request, decision = world.agent.request(request_id), decision_of(world, request_id)
    assert answer.status == 200
    assert (request["status"], request["execution"]) == ("REJECTED", None)
    assert decision["reason"] == "The parcel was delivered."
    assert "payload" not in tokens.unverified_claims(decision["token"])
    assert world.query("SELECT 1 FROM executors_execution WHERE subject = %s", request_id) == []
    assert world.refunds(payment) == []


def test_a_withdrawn_refund_can_no_longer_be_approved(world: World) -> None:
    payment = world.pay()
    request_id = world.submit(payment)
    page = world.reviewer.get(world.reviewer.decide_path(request_id))

    withdrawn = world.agent.post(f"requests/{request_id}/withdrawal")
    again = world.agent.post(f"requests/{request_id}/withdrawal")
    approval = world.reviewer.post(
        page, outcome="approve", reason="Too late.", digest=page.hidden("digest")
    )

    assert (withdrawn.status, withdrawn.json["status"]) == (200, "WITHDRAWN")
    assert (again.status, again.json["code"]) == (409, "not_pending")
    assert approval.status == 409
    assert world.agent.request(request_id)["status"] == "WITHDRAWN"
    assert world.refunds(payment) == []


def test_equal_amounts_in_two_decisions_are_two_refunds(world: World) -> None:
    payment = world.pay(12000)
    first, second = world.submit(payment, 3000), world.submit(payment, 3000)

    world.approve(first)
    world.execution(first, "SUCCEEDED")
    refresh = world.reviewer.get(world.reviewer.decide_path(second))
    world.reviewer.post(refresh, f"{world.reviewer.decide_path(second)}refresh/")
    world.approve(second)
    world.execution(second, "SUCCEEDED")

    assert [refund.amount for refund in world.refunds(payment)] == [3000, 3000]


def test_a_repeated_submission_is_one_request(world: World) -> None:
    payment = world.pay()
    payload = {"payment_intent": payment, "amount": 500, "currency": "usd"}

    first = world.agent.submit(payload, "flow-repeated")
    again = world.agent.submit(payload, "flow-repeated")
    other = world.agent.submit({**payload, "amount": 501}, "flow-repeated")

    assert (first.status, again.status, other.status) == (201, 200, 422)
    assert again.json["id"] == first.json["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert other.json["code"] == "idempotency_key_reused"
