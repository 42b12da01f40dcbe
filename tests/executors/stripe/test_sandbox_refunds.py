"""Refunds at the local Stripe that a real sandbox shows only with time or luck."""

import json
import sqlite3
from typing import Any

import pytest

from executors.stripe.sandbox.calls import Call
from executors.stripe.sandbox.resources import refunds
from tests.executors.stripe.conftest import Stage, error_of


def refund(stage: Stage, payment: Any, **form: Any) -> Any:
    return stage.read("POST", "/v1/refunds", {"payment_intent": payment["id"], **form})


def charge_of(stage: Stage, payment: Any) -> Any:
    return stage.read("GET", f"/v1/charges/{payment['latest_charge']}")


def settle(stage: Stage, refund_id: str, outcome: str | None = None) -> Any:
    with stage.store.writing() as tx:
        call = Call(tx=tx, account="acct_local_stage", now=stage.clock())
        return refunds.settle(call, refund_id, outcome=outcome)


def event_types(stage: Stage) -> list[str]:
    return [event["type"] for event in stage.read("GET", "/v1/events")["data"]]


def test_a_disputed_payment_is_not_refunded(stage: Stage) -> None:
    payment = stage.pay(card="pm_card_createDispute")
    charge = charge_of(stage, payment)
    assert charge["disputed"] is True

    answer = stage.send("POST", "/v1/refunds", {"payment_intent": payment["id"]})

    assert (answer.status, error_of(answer)["code"]) == (400, "charge_disputed")
    assert error_of(answer)["message"] == (
        f"Charge {charge['id']} has been charged back; cannot issue a refund."
    )
    assert error_of(answer)["doc_url"].endswith("/charge-disputed")


def test_a_declined_payment_is_not_refunded(stage: Stage) -> None:
    form = {"amount": 500, "currency": "usd", "confirm": "true"}
    card = {"payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds"}
    declined = error_of(stage.send("POST", "/v1/payment_intents", {**form, **card}))
    assert declined["decline_code"] == "insufficient_funds"

    for target in (
        {"charge": declined["charge"]},
        {"payment_intent": declined["payment_intent"]["id"]},
    ):
        answer = stage.send("POST", "/v1/refunds", target)
        assert answer.status == 400
        assert "does not have a successful charge" in error_of(answer)["message"]


def test_payment_and_charge_may_both_be_named_when_they_agree(stage: Stage) -> None:
    payment, other = stage.pay(), stage.pay()

    assert refund(stage, payment, charge=payment["latest_charge"], amount=100)["amount"] == 100

    form = {"payment_intent": payment["id"], "charge": other["latest_charge"]}
    answer = stage.send("POST", "/v1/refunds", form)
    assert (answer.status, error_of(answer)["param"]) == (400, "charge")


def test_three_decimal_amounts_end_in_zero(stage: Stage) -> None:
    payment = stage.pay(24750, currency="kwd")
    assert refund(stage, payment, amount=1250)["amount"] == 1250

    form = {"payment_intent": payment["id"], "amount": 1255}
    answer = stage.send("POST", "/v1/refunds", form)

    assert (answer.status, error_of(answer)["param"]) == (400, "amount")


@pytest.mark.parametrize(
    ("currency", "amount", "shown"),
    [
        ("usd", 123456, "$1,234.56"),
        ("eur", 600, "€6.00"),
        ("jpy", 600, "¥600"),
        ("kwd", 6000, "6.000 KWD"),
    ],
)
def test_a_refusal_shows_money_as_people_write_it(
    stage: Stage, currency: str, amount: int, shown: str
) -> None:
    payment = stage.pay(500, currency=currency)

    answer = stage.send("POST", "/v1/refunds", {"payment_intent": payment["id"], "amount": amount})

    assert error_of(answer)["message"].startswith(f"Refund amount ({shown}) is greater")


def test_a_fraudulent_refund_reports_the_charge(stage: Stage) -> None:
    payment = stage.pay()

    refund(stage, payment, reason="fraudulent", amount=100)

    assert charge_of(stage, payment)["fraud_details"] == {"user_report": "fraudulent"}


def test_a_pending_refund_counts_at_once_and_settles(stage: Stage) -> None:
    payment = stage.pay(card="pm_card_pendingRefund")
    pending = refund(stage, payment, amount=3000)
    assert (pending["status"], pending["pending_reason"]) == ("pending", "processing")
    assert charge_of(stage, payment)["amount_refunded"] == 3000

    settled = settle(stage, pending["id"])

    assert settled["status"] == "succeeded"
    assert "pending_reason" not in settled
    assert event_types(stage)[:2] == ["refund.updated", "charge.refunded"]
    assert charge_of(stage, payment)["amount_refunded"] == 3000


def test_a_refund_that_fails_later_gives_the_money_back_once(stage: Stage) -> None:
    payment = stage.pay(card="pm_card_refundFail")
    made = refund(stage, payment)
    assert made["status"] == "succeeded"
    assert "failure_reason" not in made

    failed = settle(stage, made["id"])
    again = settle(stage, made["id"])

    assert failed == again
    assert (failed["status"], failed["failure_reason"]) == ("failed", "expired_or_canceled_card")
    assert failed["failure_balance_transaction"].startswith("txn_")
    charge = charge_of(stage, payment)
    assert (charge["amount_refunded"], charge["refunded"]) == (0, False)
    assert event_types(stage).count("refund.failed") == 1


def test_a_refund_that_waits_for_the_customer_can_be_canceled(stage: Stage) -> None:
    payment = stage.pay(card="pm_card_pendingRefund")
    made = refund(stage, payment, amount=3000)
    waiting = settle(stage, made["id"], "requires_action")
    assert waiting["status"] == "requires_action"
    assert waiting.keys().isdisjoint({"pending_reason", "failure_reason"})
    assert charge_of(stage, payment)["amount_refunded"] == 3000

    canceled = stage.read("POST", f"/v1/refunds/{made['id']}/cancel")

    assert (canceled["status"], canceled["failure_reason"]) == ("canceled", "merchant_request")
    assert canceled["failure_balance_transaction"].startswith("txn_")
    assert charge_of(stage, payment)["amount_refunded"] == 0
    assert event_types(stage)[:3] == ["refund.updated", "refund.updated", "charge.refunded"]


@pytest.mark.parametrize("status", ["pending", "succeeded", "failed", "canceled"])
def test_no_other_refund_can_be_canceled_by_the_api(stage: Stage, status: str) -> None:
    payment = stage.pay(card="pm_card_pendingRefund")
    made = refund(stage, payment)
    settle(stage, made["id"], status)
    given_back = charge_of(stage, payment)["amount_refunded"]

    answer = stage.send("POST", f"/v1/refunds/{made['id']}/cancel")

    assert (answer.status, error_of(answer)["type"]) == (400, "invalid_request_error")
    assert charge_of(stage, payment)["amount_refunded"] == given_back


@pytest.mark.parametrize("after", ["pending", "requires_action", "succeeded", "failed", "canceled"])
@pytest.mark.parametrize("end", ["succeeded", "failed", "canceled"])
def test_what_came_back_is_back_for_good(stage: Stage, end: str, after: str) -> None:
    payment = stage.pay(card="pm_card_pendingRefund")
    made = refund(stage, payment)
    settled = settle(stage, made["id"], end)

    if after == end:
        assert settle(stage, made["id"], after) == settled
    elif end == "succeeded" and after in ("failed", "canceled"):
        assert settle(stage, made["id"], after)["status"] == after
        assert charge_of(stage, payment)["amount_refunded"] == 0
    else:
        with pytest.raises(ValueError, match=f"{end} does not become {after}"):
            settle(stage, made["id"], after)


def test_a_refund_makes_two_events_with_the_objects_as_they_were(stage: Stage) -> None:
    payment = stage.pay()
    made = refund(stage, payment, amount=100)
    refund(stage, payment, amount=200)

    listed = stage.read("GET", "/v1/events", {"limit": 4})["data"]

    assert [event["type"] for event in listed] == ["charge.refunded", "refund.created"] * 2
    assert listed[3]["data"]["object"] == made
    assert listed[2]["data"]["object"]["amount_refunded"] == 100


def test_the_tables_refuse_more_than_was_captured(stage: Stage) -> None:
    payment = stage.pay(500)

    with pytest.raises(sqlite3.IntegrityError), stage.store.writing() as tx:
        tx.execute(
            "UPDATE charges SET amount_refunded = 501 WHERE id = ?", (payment["latest_charge"],)
        )


@pytest.mark.parametrize("name", ["reverse_transfer", "origin", "customer"])
def test_what_stripe_has_and_this_has_not_is_said_so(stage: Stage, name: str) -> None:
    answer = stage.send("POST", "/v1/refunds", {"payment_intent": "pi_1", name: "true"})

    assert (answer.status, error_of(answer)["param"]) == (400, name)
    assert "does not support" in error_of(answer)["message"]


def test_metadata_grows_to_fifty_keys_over_updates_and_not_beyond(stage: Stage) -> None:
    made = refund(stage, stage.pay(), **{f"metadata[a{n}]": "v" for n in range(49)})
    path = f"/v1/refunds/{made['id']}"
    stage.read("POST", path, {"metadata[last]": "v"})

    answer = stage.send("POST", path, {"metadata[more]": "v"})

    assert answer.status == 400
    assert len(stage.read("GET", path)["metadata"]) == 50


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"amount": 100_000_000}, "amount_too_large"),
        ({"amount": 1255, "currency": "kwd"}, "parameter_invalid_integer"),
        ({"currency": "dollars"}, None),
        ({"currency": ""}, "parameter_invalid_empty"),
        ({"customer": "cus_missing"}, "resource_missing"),
        ({"payment_method": "pm_missing"}, "resource_missing"),
        ({"payment_method": "pm_card_unheardOf"}, "resource_missing"),
        ({"confirm": "perhaps"}, None),
        ({"confirm": ""}, "parameter_invalid_empty"),
        ({"automatic_payment_methods": "on"}, None),
        ({"automatic_payment_methods[allow_redirects]": "never"}, "parameter_missing"),
        ({"payment_method_types": "card"}, None),
        ({"description": "x" * 5001}, None),
        ({"description[a]": "x"}, None),
        ({"metadata": "x"}, None),
        ({"metadata[a][b]": "x"}, None),
    ],
)
def test_a_wrong_payment_is_refused(stage: Stage, form: dict[str, Any], code: str | None) -> None:
    answer = stage.send("POST", "/v1/payment_intents", {"amount": 500, "currency": "usd", **form})

    assert answer.status == 400
    assert error_of(answer).get("code") == code
    assert stage.read("GET", "/v1/payment_intents")["data"] == []


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"card[number]": "4242424242424242", "card[exp_month]": 12, "card[exp_year]": 2034}, 200),
        ({"card[number]": "1234567812345678"}, 402),
        ({"card[token]": "tok_unheardOf"}, 400),
        ({"card[token]": "pm_card_visa"}, 400),
        ({}, 400),
    ],
)
def test_payment_methods_are_test_cards_only(
    stage: Stage, form: dict[str, Any], status: int
) -> None:
    assert stage.send("POST", "/v1/payment_methods", {"type": "card", **form}).status == status


def test_a_test_name_is_read_as_a_new_payment_method(stage: Stage) -> None:
    method = stage.read("GET", "/v1/payment_methods/pm_card_amex")

    assert (method["card"]["brand"], method["card"]["last4"]) == ("amex", "0005")
    assert stage.pay(card=method["id"])["payment_method"] == method["id"]


def test_a_payment_is_confirmed_with_a_method_given_late(stage: Stage) -> None:
    payment = stage.read("POST", "/v1/payment_intents", {"amount": 500, "currency": "USD"})
    assert (payment["status"], payment["currency"]) == ("requires_payment_method", "usd")
    path = f"/v1/payment_intents/{payment['id']}/confirm"
    answer = stage.send("POST", path)
    assert error_of(answer)["code"] == "payment_intent_unexpected_state"

    confirmed = stage.read("POST", path, {"payment_method": "pm_card_visa"})

    assert confirmed["status"] == "succeeded"


def test_the_balance_is_what_was_captured_and_not_given_back(stage: Stage) -> None:
    assert stage.read("GET", "/v1/balance")["available"][0]["amount"] == 0
    refund(stage, stage.pay(5000), amount=1500)
    stage.pay(700, currency="jpy")

    balance = json.loads(stage.send("GET", "/v1/balance", role="worker").body)

    amounts = {part["currency"]: part["amount"] for part in balance["available"]}
    assert amounts == {"jpy": 700, "usd": 3500}
