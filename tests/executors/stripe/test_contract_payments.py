"""Payments, charges, events and the account: what facts for the reviewer are read from."""

import uuid

import pytest
import stripe

from tests.executors.stripe.conftest import Shop

pytestmark = pytest.mark.process


def test_a_confirmed_payment_has_a_charge_with_its_card(shop: Shop) -> None:
    customer = shop.client.v1.customers.create({"name": "Ada Byron"})
    payment = shop.pay(
        12000, customer=customer.id, card="pm_card_mastercard", expand=["latest_charge"]
    )

    assert (payment.object, payment.status) == ("payment_intent", "succeeded")
    assert (payment.amount, payment.amount_received) == (12000, 12000)
    charge = payment.latest_charge
    assert (charge.amount, charge.amount_captured, charge.amount_refunded) == (12000, 12000, 0)
    assert (charge.captured, charge.paid, charge.refunded, charge.disputed) == (
        True,
        True,
        False,
        False,
    )
    assert (charge.currency, charge.livemode) == ("usd", False)
    assert charge.customer == payment.customer == customer.id
    assert charge.payment_intent == payment.id
    card = charge.payment_method_details.card
    assert (card.brand, card.last4) == ("mastercard", "4444")


def test_a_payment_is_confirmed_in_a_second_step(shop: Shop) -> None:
    payment = shop.pay(confirm=False)
    assert (payment.status, payment.latest_charge) == ("requires_confirmation", None)

    confirmed = shop.client.v1.payment_intents.confirm(payment.id)

    assert confirmed.status == "succeeded"
    read = shop.client.v1.payment_intents.retrieve(payment.id)
    assert read.latest_charge == confirmed.latest_charge
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.payment_intents.confirm(payment.id)
    assert caught.value.code == "payment_intent_unexpected_state"


def test_a_payment_method_comes_from_a_token(shop: Shop) -> None:
    made = shop.client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})

    read = shop.client.v1.payment_methods.retrieve(made.id)

    assert read.card is not None
    assert (read.type, read.card.brand, read.card.last4) == ("card", "visa", "4242")
    assert shop.pay(card=made.id).payment_method == made.id


def test_a_declined_card_leaves_a_failed_charge(shop: Shop) -> None:
    with pytest.raises(stripe.CardError) as caught:
        shop.pay(card="pm_card_chargeDeclined")

    error = caught.value
    assert (error.http_status, error.code) == (402, "card_declined")
    assert isinstance(error.json_body, dict)
    details = error.json_body["error"]
    assert details["decline_code"] == "generic_decline"
    charge = shop.client.v1.charges.retrieve(details["charge"])
    assert (charge.status, charge.paid) == ("failed", False)
    assert details["payment_intent"]["status"] == "requires_payment_method"


def test_zero_decimal_amounts_are_whole(shop: Shop) -> None:
    payment = shop.pay(500, currency="jpy")

    refund = shop.refund(payment, 120)

    assert (refund.amount, refund.currency) == (120, "jpy")
    assert shop.charge_of(payment).amount_refunded == 120


@pytest.mark.parametrize("missing", ["amount", "currency"])
def test_a_payment_needs_amount_and_currency(shop: Shop, missing: str) -> None:
    params = {"amount": 5000, "currency": "usd"}
    del params[missing]

    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.payment_intents.create(params)  # type: ignore[arg-type]

    assert (caught.value.code, caught.value.param) == ("parameter_missing", missing)


def test_an_unknown_payment_is_missing(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.payment_intents.retrieve("pi_3Missing0000")

    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")
    assert caught.value.user_message == "No such payment_intent: 'pi_3Missing0000'"


def test_payments_are_listed_by_customer(shop: Shop) -> None:
    customer = shop.client.v1.customers.create({"email": "ada@example.com"})
    made = shop.pay(customer=customer.id)

    listed = shop.client.v1.payment_intents.list({"customer": customer.id})

    assert [payment.id for payment in listed.data] == [made.id]
    read = shop.client.v1.customers.retrieve(customer.id)
    assert read.email == "ada@example.com"


def test_a_refund_is_an_event_with_its_key(shop: Shop) -> None:
    key = str(uuid.uuid4())
    refund = shop.refund(shop.pay(), 100, key=key)

    listed = shop.client.v1.events.list({"type": "refund.created", "limit": 100})

    event = next(one for one in listed.data if one.data.object["id"] == refund.id)
    assert event.request is not None
    assert event.request.idempotency_key == key
    read = shop.client.v1.events.retrieve(event.id)
    assert read.type == "refund.created"
    assert read.data.object["amount"] == 100


def test_the_balance_has_amounts_by_currency(shop: Shop) -> None:
    shop.pay()

    balance = shop.client.v1.balance.retrieve()

    amounts = [*balance.available, *balance.pending]
    assert "usd" in {amount.currency for amount in amounts}
    assert balance.livemode is False


def test_a_key_knows_its_account(shop: Shop) -> None:
    account = shop.client.v1.accounts.retrieve_current()

    assert account.object == "account"
    assert account.id.startswith("acct_")


def test_an_answer_names_its_request_and_version(shop: Shop) -> None:
    headers = shop.pay().last_response.headers

    assert headers["Request-Id"].startswith("req_")
    assert headers["Stripe-Version"] == "2026-10-28.endive"


def test_an_unknown_address_is_refused(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.raw_request("get", "/v1/refundz")

    assert caught.value.http_status == 404
    assert "Unrecognized request URL (GET: /v1/refundz)" in str(caught.value.user_message)
