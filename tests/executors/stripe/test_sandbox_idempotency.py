"""The idempotency layer of the local Stripe where a real one cannot be made to show it."""

import json
import signal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from executors.stripe.sandbox import idempotency
from executors.stripe.sandbox.process import running_sandbox
from executors.stripe.sandbox.resources import events
from tests.executors.stripe.conftest import Shop, Stage, client_for, error_of

DAY = 24 * 60 * 60


def count(stage: Stage, table: str) -> int:
    with stage.store.reading() as tx:
        return int(tx.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def a_refund(stage: Stage, amount: int = 100) -> dict[str, Any]:
    return {"payment_intent": stage.pay()["id"], "amount": amount}


def test_a_key_is_kept_for_a_day_and_runs_again_after_it(stage: Stage) -> None:
    form = a_refund(stage)
    first = stage.send("POST", "/v1/refunds", form, key="k")

    stage.clock.now += DAY - 1
    assert stage.send("POST", "/v1/refunds", form, key="k").body == first.body

    stage.clock.now += 1
    third = stage.send("POST", "/v1/refunds", form, key="k")
    assert "Idempotent-Replayed" not in third.headers
    assert json.loads(third.body)["id"] != json.loads(first.body)["id"]
    assert count(stage, "refunds") == 2


def test_a_key_in_use_is_refused_and_fresh_afterwards(stage: Stage) -> None:
    form = a_refund(stage)
    with stage.application._in_use.hold("acct_local_stage", "k"):
        answer = stage.send("POST", "/v1/refunds", form, key="k")
    assert answer.status == 409
    assert error_of(answer)["type"] == "idempotency_error"
    assert error_of(answer)["code"] == "idempotency_key_in_use"

    after = stage.send("POST", "/v1/refunds", form, key="k")

    assert after.status == 200
    assert "Idempotent-Replayed" not in after.headers
    assert count(stage, "refunds") == 1


def test_a_failure_of_the_endpoint_is_stored_and_undoes_its_writes(stage: Stage) -> None:
    form = a_refund(stage)
    with patch.object(events, "record", side_effect=RuntimeError("broken on purpose")):
        broken = stage.send("POST", "/v1/refunds", form, key="k")
    assert broken.status == 500
    assert error_of(broken)["type"] == "api_error"

    again = stage.send("POST", "/v1/refunds", form, key="k")

    assert (again.status, again.body) == (500, broken.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert count(stage, "refunds") == 0


def test_effect_and_stored_answer_are_one_transaction(stage: Stage) -> None:
    form = a_refund(stage)
    with patch.object(idempotency, "keep", side_effect=RuntimeError("power cut")):
        assert stage.send("POST", "/v1/refunds", form, key="k").status == 500
    assert count(stage, "refunds") == 0

    assert stage.send("POST", "/v1/refunds", form, key="k").status == 200
    assert count(stage, "refunds") == 1


def test_the_order_of_parameters_does_not_matter(stage: Stage) -> None:
    form = a_refund(stage)
    first = stage.send("POST", "/v1/refunds", form, key="k")

    second = stage.send("POST", "/v1/refunds", dict(reversed(form.items())), key="k")

    assert second.body == first.body
    assert second.headers["Original-Request"] == first.headers["Request-Id"]


def test_wrong_parameters_under_a_used_key_are_a_mismatch(stage: Stage) -> None:
    form = a_refund(stage)
    stage.send("POST", "/v1/refunds", form, key="k")

    answer = stage.send("POST", "/v1/refunds", {**form, "amount": "0"}, key="k")

    assert (answer.status, error_of(answer)["type"]) == (400, "idempotency_error")


def test_the_same_parameters_at_another_endpoint_are_refused(stage: Stage) -> None:
    paths = [f"/v1/payment_intents/{stage.pay(confirm='false')['id']}/confirm" for _ in range(2)]
    assert stage.send("POST", paths[0], key="k").status == 200

    answer = stage.send("POST", paths[1], key="k")

    assert (answer.status, error_of(answer)["type"]) == (400, "idempotency_error")
    assert f"('{paths[1]}' vs '{paths[0]}')" in error_of(answer)["message"]


def test_a_parameter_refused_by_the_endpoint_itself_leaves_the_key_fresh(stage: Stage) -> None:
    form = a_refund(stage)
    assert stage.send("POST", "/v1/refunds", {"amount": 100}, key="k").status == 400

    answer = stage.send("POST", "/v1/refunds", form, key="k")

    assert answer.status == 200


def test_a_decline_is_stored_with_its_failed_charge(stage: Stage) -> None:
    form = {
        "amount": 5000,
        "currency": "usd",
        "confirm": "true",
        "payment_method": "pm_card_chargeDeclined",
    }
    first = stage.send("POST", "/v1/payment_intents", form, key="k")

    second = stage.send("POST", "/v1/payment_intents", form, key="k")

    assert (first.status, second.status) == (402, 402)
    assert second.body == first.body
    assert count(stage, "charges") == 1


def test_a_key_has_no_effect_on_reading(stage: Stage) -> None:
    stage.send("GET", "/v1/balance", key="k")

    answer = stage.send("POST", "/v1/refunds", a_refund(stage), key="k")

    assert answer.status == 200
    assert "Idempotency-Key" not in stage.send("GET", "/v1/balance", key="k").headers


@pytest.mark.parametrize(("length", "status"), [(255, 200), (256, 400)])
def test_a_key_has_a_longest_length(stage: Stage, length: int, status: int) -> None:
    assert stage.send("POST", "/v1/customers", key="k" * length).status == status


def test_without_a_key_every_request_is_a_new_one(stage: Stage) -> None:
    form = a_refund(stage)

    bodies = {stage.send("POST", "/v1/refunds", form).body for _ in range(2)}

    assert len(bodies) == 2
    assert count(stage, "idempotency_keys") == 0


@pytest.mark.process
def test_a_key_outlives_the_process(tmp_path: Path) -> None:
    database = tmp_path / "stripe.sqlite3"
    with running_sandbox(database) as before:
        shop = Shop(client=client_for(before.secret_key, before.base_url))
        payment = shop.pay()
        refund = shop.refund(payment, 100, key="k")
        before.process.send_signal(signal.SIGKILL)
        before.process.wait()

    with running_sandbox(database) as after:
        shop = Shop(client=client_for(before.secret_key, after.base_url))
        again = shop.refund(payment, 100, key="k")
        assert again.id == refund.id
        assert again.last_response.headers["Idempotent-Replayed"] == "true"
        assert len(shop.refunds_of(payment)) == 1
