"""Idempotency keys: one decision's key has one result, whatever is sent again."""

import threading
import uuid
from typing import Any

import pytest
import stripe

from tests.executors.stripe.conftest import Shop

pytestmark = pytest.mark.process

THREADS = 8


@pytest.fixture
def key() -> str:
    return f"countersign-{uuid.uuid4()}"


def test_the_same_request_is_replayed(shop: Shop, key: str) -> None:
    payment = shop.pay()

    first = shop.refund(payment, 1000, key=key)
    second = shop.refund(payment, 1000, key=key)

    assert first.to_dict() == second.to_dict()
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert second.last_response.headers["Idempotent-Replayed"] == "true"
    assert second.last_response.headers["Idempotency-Key"] == key
    assert first.last_response.request_id != second.last_response.request_id
    assert len(shop.refunds_of(payment)) == 1


def test_other_parameters_under_the_key_are_refused(shop: Shop, key: str) -> None:
    payment = shop.pay()
    shop.refund(payment, 1000, key=key)

    with pytest.raises(stripe.IdempotencyError) as caught:
        shop.refund(payment, 1001, key=key)

    assert caught.value.http_status == 400
    assert caught.value.user_message == (
        "Keys for idempotent requests can only be used with the same parameters they were first "
        f"used with. Try using a key other than '{key}' if you meant to execute a different "
        "request."
    )
    assert shop.refund(payment, 1000, key=key).amount == 1000
    assert len(shop.refunds_of(payment)) == 1


def test_the_key_at_another_endpoint_is_refused(shop: Shop, key: str) -> None:
    payment = shop.pay()
    refund = shop.refund(payment, 1000, key=key)

    with pytest.raises(stripe.IdempotencyError) as caught:
        shop.client.v1.refunds.update(refund.id, {"metadata": {"a": "b"}}, {"idempotency_key": key})

    assert caught.value.http_status == 400


def test_a_refusal_while_running_is_replayed_although_it_would_now_succeed(
    shop: Shop, key: str
) -> None:
    # The refusal of a first attempt stays its key's answer; only a new key would run again.
    payment = shop.pay(confirm=False)
    with pytest.raises(stripe.InvalidRequestError) as first:
        shop.refund(payment, 1000, key=key)
    shop.client.v1.payment_intents.confirm(payment.id)

    with pytest.raises(stripe.InvalidRequestError) as second:
        shop.refund(payment, 1000, key=key)

    assert second.value.user_message == first.value.user_message
    assert (second.value.headers or {})["Idempotent-Replayed"] == "true"
    assert shop.refunds_of(payment) == []


def test_refused_parameters_leave_the_key_fresh(shop: Shop, key: str) -> None:
    payment = shop.pay()
    with pytest.raises(stripe.InvalidRequestError):
        shop.refund(payment, 1000, key=key, colour="blue")

    refund = shop.refund(payment, 1000, key=key)

    assert "Idempotent-Replayed" not in refund.last_response.headers


def test_a_key_that_is_not_accepted_leaves_the_idempotency_key_fresh(shop: Shop, key: str) -> None:
    payment = shop.pay()
    with pytest.raises(stripe.AuthenticationError):
        shop.client.v1.refunds.create(
            {"payment_intent": payment.id, "amount": 1000},
            {"idempotency_key": key, "api_key": "sk_local_0000000000000000"},
        )

    refund = shop.refund(payment, 1000, key=key)

    assert "Idempotent-Replayed" not in refund.last_response.headers


def together(action: Any) -> list[Any]:
    """Run the action in eight threads that start at once; return results and errors."""
    barrier = threading.Barrier(THREADS)
    results: list[Any] = []

    def run(number: int) -> None:
        barrier.wait()
        try:
            results.append(action(number))
        except stripe.StripeError as error:
            results.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_eight_at_once_under_one_key_are_one_refund(shop: Shop, key: str) -> None:
    payment = shop.pay()

    results = together(lambda _: shop.refund(payment, 1000, key=key))

    refunds = [result for result in results if isinstance(result, stripe.Refund)]
    errors = [result for result in results if isinstance(result, stripe.StripeError)]
    fresh = [r for r in refunds if "Idempotent-Replayed" not in r.last_response.headers]
    assert len(refunds) + len(errors) == THREADS
    assert len(fresh) == 1
    assert {refund.id for refund in refunds} == {fresh[0].id}
    assert {error.http_status for error in errors} <= {409}
    assert len(shop.refunds_of(payment)) == 1


def test_eight_different_refunds_never_give_back_more_than_was_paid(shop: Shop) -> None:
    payment = shop.pay(5000)

    results = together(lambda number: shop.refund(payment, 3000 + number))

    refunds = [result for result in results if isinstance(result, stripe.Refund)]
    assert len(refunds) == 1
    assert shop.charge_of(payment).amount_refunded == refunds[0].amount
