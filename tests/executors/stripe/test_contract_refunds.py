"""What a refund does at Stripe, and what is refused: local always, real when there is a key."""

from typing import Any

import pytest
import stripe

from tests.executors.stripe.conftest import Shop

pytestmark = pytest.mark.process


def refused(shop: Shop, **params: Any) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.refunds.create(params)  # type: ignore[arg-type]
    return caught.value


def test_a_partial_refund_is_counted_on_the_charge(shop: Shop) -> None:
    payment = shop.pay(5000)

    refund = shop.refund(payment, 1500, reason="duplicate", metadata={"order": "1042"})

    assert refund.object == "refund"
    assert refund.id.startswith("re_")
    assert (refund.amount, refund.currency, refund.status) == (1500, "usd", "succeeded")
    assert (refund.payment_intent, refund.charge) == (payment.id, payment.latest_charge)
    assert refund.reason == "duplicate"
    assert refund.metadata.to_dict() == {"order": "1042"}
    charge = shop.charge_of(payment)
    assert (charge.amount_captured, charge.amount_refunded) == (5000, 1500)
    assert charge.refunded is False


def test_a_refund_without_amount_gives_back_the_rest(shop: Shop) -> None:
    payment = shop.pay(5000)
    shop.refund(payment, 1500)

    assert shop.refund(payment).amount == 3500

    charge = shop.charge_of(payment)
    assert charge.amount_refunded == 5000
    assert charge.refunded is True


def test_a_refund_by_charge_names_its_payment_too(shop: Shop) -> None:
    payment = shop.pay()

    refund = shop.client.v1.refunds.create({"charge": payment.latest_charge, "amount": 700})

    assert refund.payment_intent == payment.id
    assert [found.id for found in shop.refunds_of(payment)] == [refund.id]


def test_two_refunds_of_one_amount_are_two_refunds(shop: Shop) -> None:
    payment = shop.pay(5000)

    refunds = {shop.refund(payment, 1000).id, shop.refund(payment, 1000).id}

    assert {found.id for found in shop.refunds_of(payment)} == refunds
    assert shop.charge_of(payment).amount_refunded == 2000


def test_more_than_the_rest_is_refused_without_a_code(shop: Shop) -> None:
    payment = shop.pay(8000)
    shop.refund(payment, 5000)

    error = refused(shop, payment_intent=payment.id, amount=4000)

    assert (error.http_status, error.code, error.param) == (400, None, "amount")
    assert error.user_message == (
        "Refund amount ($40.00) is greater than unrefunded amount on charge ($30.00)"
    )
    assert shop.charge_of(payment).amount_refunded == 5000


def test_a_payment_refunded_in_full_is_not_refunded_again(shop: Shop) -> None:
    payment = shop.pay()
    shop.refund(payment)

    error = refused(shop, payment_intent=payment.id, amount=1)

    assert (error.http_status, error.code) == (400, "charge_already_refunded")
    assert error.user_message == f"Charge {payment.latest_charge} has already been refunded."


@pytest.mark.parametrize("amount", [0, -5])
def test_an_amount_below_one_is_refused(shop: Shop, amount: int) -> None:
    error = refused(shop, payment_intent=shop.pay().id, amount=amount)

    assert (error.http_status, error.code) == (400, "parameter_invalid_integer")
    assert error.param == "amount"


@pytest.mark.parametrize("amount", ["1.5", "ten", True])
def test_an_amount_that_is_no_integer_is_refused(shop: Shop, amount: object) -> None:
    error = refused(shop, payment_intent=shop.pay().id, amount=amount)

    assert (error.code, error.param) == ("parameter_invalid_integer", "amount")


def test_an_unknown_parameter_is_refused_by_name(shop: Shop) -> None:
    error = refused(shop, payment_intent=shop.pay().id, colour="blue")

    assert (error.http_status, error.code, error.param) == (400, "parameter_unknown", "colour")
    assert error.user_message == "Received unknown parameter: colour"


def test_an_empty_value_is_refused(shop: Shop) -> None:
    error = refused(shop, payment_intent="")

    assert (error.code, error.param) == ("parameter_invalid_empty", "payment_intent")


def test_a_reason_is_one_of_three(shop: Shop) -> None:
    error = refused(shop, payment_intent=shop.pay().id, reason="expired_uncaptured_charge")

    assert (error.http_status, error.code, error.param) == (400, None, "reason")
    assert error.user_message == (
        "Invalid reason: must be one of duplicate, fraudulent, or requested_by_customer"
    )


def test_a_refund_names_its_payment(shop: Shop) -> None:
    error = refused(shop, amount=100)

    assert error.http_status == 400
    assert error.user_message == (
        "One of the following params should be provided for this request: payment_intent or charge."
    )


@pytest.mark.parametrize(
    ("name", "missing"), [("payment_intent", "pi_3Missing0000"), ("charge", "ch_3Missing0000")]
)
def test_an_unknown_payment_is_missing(shop: Shop, name: str, missing: str) -> None:
    error = refused(shop, **{name: missing})

    assert (error.http_status, error.code) == (404, "resource_missing")
    assert error.user_message == f"No such {name}: '{missing}'"


def test_a_payment_without_a_successful_charge_is_refused(shop: Shop) -> None:
    payment = shop.pay(confirm=False)

    error = refused(shop, payment_intent=payment.id)

    assert error.user_message == (
        f"This PaymentIntent ({payment.id}) does not have a successful charge to refund."
    )


def test_a_payment_that_is_only_held_is_refused(shop: Shop) -> None:
    payment = shop.pay(capture_method="manual")
    assert payment.status == "requires_capture"

    error = refused(shop, payment_intent=payment.id, amount=100)

    assert str(error.user_message).startswith("This uncaptured Charge was created by")


@pytest.mark.parametrize(
    "metadata",
    [{"k" * 41: "v"}, {"k": "v" * 501}, {f"k{number}": "v" for number in range(51)}],
    ids=["long key", "long value", "51 keys"],
)
def test_metadata_has_limits(shop: Shop, metadata: dict[str, str]) -> None:
    payment = shop.pay()

    error = refused(shop, payment_intent=payment.id, metadata=metadata)

    assert error.http_status == 400
    assert shop.refunds_of(payment) == []


def test_metadata_up_to_the_limits_is_stored(shop: Shop) -> None:
    metadata = {f"key-{number}".ljust(40, "k"): "ü" * 500 for number in range(50)}

    refund = shop.refund(shop.pay(), 100, metadata=metadata)

    assert shop.client.v1.refunds.retrieve(refund.id).metadata.to_dict() == metadata


def test_metadata_is_what_an_update_changes(shop: Shop) -> None:
    refund = shop.refund(shop.pay(), 100, metadata={"a": "1", "b": "2"})

    shop.client.v1.refunds.update(refund.id, {"metadata": {"a": "", "c": "3"}})

    read = shop.client.v1.refunds.retrieve(refund.id)
    assert read.metadata.to_dict() == {"b": "2", "c": "3"}
    cleared = shop.client.v1.refunds.update(refund.id, {"metadata": ""})
    assert cleared.metadata.to_dict() == {}


def test_nothing_else_of_a_refund_can_change(shop: Shop) -> None:
    refund = shop.refund(shop.pay(), 100)

    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.refunds.update(refund.id, {"amount": 200})  # type: ignore[typeddict-unknown-key]

    assert caught.value.code == "parameter_unknown"


def test_a_refund_to_a_card_cannot_be_canceled(shop: Shop) -> None:
    payment = shop.pay()
    refund = shop.refund(payment, 100)

    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.refunds.cancel(refund.id)

    assert caught.value.http_status == 400
    assert shop.charge_of(payment).amount_refunded == 100


def test_an_unknown_refund_is_missing(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.refunds.retrieve("re_3Missing0000")

    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")
    assert caught.value.user_message == "No such refund: 're_3Missing0000'"


@pytest.mark.parametrize(
    ("card", "status"), [("pm_card_pendingRefund", "pending"), ("pm_card_refundFail", "succeeded")]
)
def test_test_cards_decide_how_a_refund_begins(shop: Shop, card: str, status: str) -> None:
    assert shop.refund(shop.pay(card=card), 100).status == status
