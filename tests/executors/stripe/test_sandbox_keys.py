"""Which key may do what at the local Stripe."""

import base64
import json

import pytest
import stripe

from executors.stripe.sandbox import keys
from executors.stripe.sandbox.keys import KeyShapeError
from executors.stripe.sandbox.messages import Answer, Request
from executors.stripe.sandbox.process import RunningSandbox
from executors.stripe.sandbox.routing import ROUTES
from tests.executors.stripe.conftest import Shop, Stage, client_for, error_of


def with_authorization(stage: Stage, value: str, **more: str) -> Answer:
    headers = {"authorization": value, **more} if value else more
    return stage.application.answer(Request(method="GET", target="/v1/balance", headers=headers))


@pytest.mark.parametrize("value", ["", "Bearer ", "Digest x", "Basic not-base64", "Basic Og=="])
def test_a_request_without_a_key_is_unauthorised(stage: Stage, value: str) -> None:
    answer = with_authorization(stage, value)

    assert answer.status == 401
    assert "You did not provide an API key" in error_of(answer)["message"]


@pytest.mark.parametrize(
    "key",
    ["sk_test_51Hxxxxxxxxxxxxxxxx", "sk_live_51Hxxxxxxxxxxxxxxxx", "sk_local_unknownunknown", "x"],
)
def test_an_unknown_key_is_unauthorised_and_not_repeated(stage: Stage, key: str) -> None:
    answer = with_authorization(stage, f"Bearer {key}")

    assert answer.status == 401
    message = error_of(answer)["message"]
    assert message.startswith("Invalid API Key provided: ")
    assert key not in message


def test_a_key_may_come_as_a_user_name(stage: Stage) -> None:
    encoded = base64.b64encode(f"{stage.secrets['read']}:".encode()).decode()

    assert with_authorization(stage, f"Basic {encoded}").status == 200


def test_another_account_is_out_of_reach(stage: Stage) -> None:
    bearer = f"Bearer {stage.secrets['secret']}"

    answer = with_authorization(stage, bearer, **{"stripe-account": "acct_other"})

    assert (answer.status, error_of(answer)["code"]) == (403, "account_invalid")
    own = {"stripe-account": "acct_local_stage"}
    assert with_authorization(stage, bearer, **own).status == 200


#: The endpoints that a key is refused, by role: (method, path).
REFUSED = {
    "secret": set[tuple[str, str]](),
    "worker": {
        ("GET", "/v1/customers/{}"),
        ("GET", "/v1/payment_methods/{}"),
        ("POST", "/v1/customers"),
        ("POST", "/v1/payment_intents"),
        ("POST", "/v1/payment_intents/{}/confirm"),
        ("POST", "/v1/payment_methods"),
    },
    "read": {(route.method, route.path) for route in ROUTES if route.method == "POST"},
}


@pytest.mark.parametrize("role", sorted(REFUSED))
def test_each_role_is_refused_exactly_what_it_may_not_do(stage: Stage, role: str) -> None:
    refused = set()
    for route in ROUTES:
        answer = stage.send(route.method, route.path.replace("{}", "x_1"), role=role)
        if answer.status == 403:
            refused.add((route.method, route.path))
            assert error_of(answer)["type"] == "invalid_request_error"
            assert stage.secrets[role] not in answer.body.decode()

    assert refused == REFUSED[role]


@pytest.mark.process
def test_the_client_sees_a_missing_permission(local: RunningSandbox, local_shop: Shop) -> None:
    payment = local_shop.pay()
    reader = client_for(local.read_key, local.base_url)

    with pytest.raises(stripe.PermissionError) as caught:
        reader.v1.refunds.create({"payment_intent": payment.id})

    assert caught.value.http_status == 403
    assert "'rak_refund_write'" in str(caught.value.user_message)
    assert local_shop.refunds_of(payment) == []


@pytest.mark.process
def test_a_worker_key_refunds_and_reads_what_it_must(
    local: RunningSandbox, local_shop: Shop
) -> None:
    payment = local_shop.pay()
    worker = Shop(client=client_for(local.worker_key, local.base_url))

    refund = worker.refund(payment, 100)

    assert worker.charge_of(payment).amount_refunded == 100
    assert [found.id for found in worker.refunds_of(payment)] == [refund.id]
    assert worker.client.v1.accounts.retrieve_current().id == local.account


def test_a_refused_permission_leaves_the_idempotency_key_fresh(stage: Stage) -> None:
    form = {"payment_intent": stage.pay()["id"], "amount": 100}
    assert stage.send("POST", "/v1/refunds", form, key="k", role="read").status == 403

    answer = stage.send("POST", "/v1/refunds", form, key="k", role="worker")

    assert answer.status == 200
    assert "Idempotent-Replayed" not in answer.headers


def test_an_idempotency_key_belongs_to_the_account_and_not_to_the_api_key(stage: Stage) -> None:
    form = {"payment_intent": stage.pay()["id"], "amount": 100}
    first = stage.send("POST", "/v1/refunds", form, key="k", role="worker")

    second = stage.send("POST", "/v1/refunds", form, key="k", role="secret")

    assert second.headers["Idempotent-Replayed"] == "true"
    assert json.loads(second.body) == json.loads(first.body)


def test_keys_stay_unless_others_are_chosen(stage: Stage) -> None:
    with stage.store.writing() as tx:
        again = keys.install(tx, {"worker": "rk_local_chosen123"})

    assert again == {**stage.secrets, "worker": "rk_local_chosen123"}
    old = f"Bearer {stage.secrets['worker']}"
    assert with_authorization(stage, old).status == 401


@pytest.mark.parametrize(
    "chosen",
    [
        {"secret": "sk_test_123456789012"},
        {"secret": "rk_local_12345678"},
        {"worker": "sk_local_12345678"},
        {"read": "rk_local_short"},
        {"worker": "rk_local_12345678", "read": "rk_local_12345678"},
    ],
)
def test_a_chosen_key_must_look_like_a_local_one(stage: Stage, chosen: dict[str, str]) -> None:
    with pytest.raises(KeyShapeError), stage.store.writing() as tx:
        keys.install(tx, chosen)

    with stage.store.reading() as tx:
        stored = {row["role"]: row["secret"] for row in tx.execute("SELECT * FROM api_keys")}
    assert stored == stage.secrets
