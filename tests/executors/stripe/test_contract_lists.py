"""Lists that reconciliation reads: filters, times and paging to the end."""

import pytest
import stripe

from tests.executors.stripe.conftest import Shop

pytestmark = pytest.mark.process


def test_refunds_are_listed_newest_first_in_pages(shop: Shop) -> None:
    payment = shop.pay()
    made = [shop.refund(payment, 100 + number).id for number in range(5)]
    refunds = shop.client.v1.refunds

    first = refunds.list({"payment_intent": payment.id, "limit": 2})
    second = refunds.list(
        {"payment_intent": payment.id, "limit": 2, "starting_after": first.data[-1].id}
    )
    back = refunds.list(
        {"payment_intent": payment.id, "limit": 2, "ending_before": second.data[0].id}
    )

    assert [refund.id for refund in first.data] == made[:2:-1]
    assert [refund.id for refund in second.data] == made[2:0:-1]
    assert [refund.id for refund in back.data] == made[:2:-1]
    assert (first.has_more, second.has_more) == (True, True)
    assert first.url == "/v1/refunds"
    assert [refund.id for refund in shop.refunds_of(payment)] == made[::-1]


def test_a_last_page_says_that_nothing_follows(shop: Shop) -> None:
    payment = shop.pay()
    shop.refund(payment, 100)
    shop.refund(payment, 200)

    page = shop.client.v1.refunds.list({"payment_intent": payment.id, "limit": 2})

    assert len(page.data) == 2
    assert page.has_more is False


def test_refunds_are_listed_by_charge(shop: Shop) -> None:
    payment, other = shop.pay(), shop.pay()
    refund = shop.refund(payment, 100)
    shop.refund(other, 100)

    listed = shop.client.v1.refunds.list({"charge": payment.latest_charge})

    assert [found.id for found in listed.data] == [refund.id]


def test_refunds_are_listed_by_time(shop: Shop) -> None:
    payment = shop.pay()
    refund = shop.refund(payment, 100)
    refunds = shop.client.v1.refunds

    def found(**bounds: int) -> list[str]:
        page = refunds.list({"payment_intent": payment.id, "created": bounds})  # type: ignore[typeddict-item]
        return [one.id for one in page.data]

    at = refund.created
    assert found(gte=at, lt=at + 1) == found(gt=at - 1, lte=at) == [refund.id]
    assert found(gt=at) == found(lt=at) == []


def test_an_unknown_cursor_is_refused(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.refunds.list({"starting_after": "re_3Missing0000"})

    assert (caught.value.http_status, caught.value.code) == (400, "resource_missing")
    assert caught.value.param == "starting_after"


def test_both_cursors_at_once_are_refused(shop: Shop) -> None:
    refund = shop.refund(shop.pay(), 100)

    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.refunds.list({"starting_after": refund.id, "ending_before": refund.id})

    assert caught.value.http_status == 400


def test_charges_are_listed_by_payment(shop: Shop) -> None:
    payment = shop.pay()

    listed = shop.client.v1.charges.list({"payment_intent": payment.id})

    assert [charge.id for charge in listed.data] == [payment.latest_charge]


def test_an_expansion_puts_objects_into_a_list(shop: Shop) -> None:
    payment = shop.pay()
    shop.refund(payment, 100)

    page = shop.client.v1.refunds.list(
        {"payment_intent": payment.id, "expand": ["data.charge.payment_intent"]}
    )

    charge = page.data[0].charge
    assert isinstance(charge, stripe.Charge)
    assert isinstance(charge.payment_intent, stripe.PaymentIntent)
    assert charge.payment_intent.id == payment.id


@pytest.mark.parametrize("path", ["colour", "data.colour"])
def test_an_expansion_that_leads_nowhere_is_refused(shop: Shop, path: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.refunds.list({"expand": [path]})

    assert "This property cannot be expanded" in str(caught.value.user_message)
