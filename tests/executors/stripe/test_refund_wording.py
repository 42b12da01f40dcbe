"""A refund in words."""

from typing import Any

import pytest

from executors.base import Facts, Provider
from executors.stripe.refunds import StripeRefund

REFUNDS = StripeRefund()
MATERIAL: dict[str, Any] = {
    "payment": "pi_1234",
    "charge": "ch_1234",
    "customer": "cus_9",
    "currency": "usd",
    "captured": 12000,
    "refunded": 0,
    "disputed": False,
}
DISPLAY: dict[str, Any] = {
    "status": "succeeded",
    "amount": 12000,
    "paid_at": "2026-11-14T09:30:00+00:00",
    "method": "card",
    "card_brand": "visa",
    "card_last4": "4242",
    "customer_name": "Ada Lovelace",
    "customer_email": "ada@example.com",
    "description": "Order 1002",
}


def facts(display: dict[str, Any] | None = None, **material: Any) -> Facts:
    return Facts(
        provider=Provider(kind="stripe-local", account="acct_1", livemode=False),
        material=MATERIAL | material,
        display=DISPLAY if display is None else display,
    )


def payload(**changes: Any) -> dict[str, Any]:
    return {"payment_intent": "pi_1234", "amount": 9500, "currency": "usd"} | changes


def lines(known: Facts) -> dict[str, tuple[str, bool]]:
    return {line.label: (line.value, line.alarming) for line in REFUNDS.fact_lines(known)}


class TestDescription:
    """One sentence of what will happen, in money."""

    def test_with_facts(self) -> None:
        described = REFUNDS.describe(payload(), facts())

        assert described.title == "Refund 95.00 USD to customer cus_9"
        assert described.detail == "back to Visa ending 4242, paid 120.00 USD on 14 Nov 2026"
        assert list(described.warnings) == []

    def test_without_a_customer_it_names_the_payment(self) -> None:
        described = REFUNDS.describe(payload(), facts(customer=None))

        assert described.title == "Refund 95.00 USD of payment pi_1234"

    def test_without_facts(self) -> None:
        described = REFUNDS.describe(payload(), None)

        assert described.title == "Refund 95.00 USD of payment pi_1234"
        assert "not been read" in described.detail

    def test_without_facts_by_charge(self) -> None:
        by_charge = {"charge": "ch_1234", "amount": 500, "currency": "jpy"}

        assert REFUNDS.describe(by_charge, None).title == "Refund 500 JPY of payment ch_1234"

    @pytest.mark.parametrize("known", [None, facts()])
    def test_a_fraud_has_a_second_effect(self, known: Facts | None) -> None:
        [warning] = REFUNDS.describe(payload(reason="fraudulent"), known).warnings

        assert "block lists" in warning

    @pytest.mark.parametrize(
        ("changes", "means"),
        [
            ({"card_brand": "amex"}, "American Express ending 4242"),
            ({"card_brand": ""}, "Card ending 4242"),
            ({"card_last4": "", "method": "sepa_debit"}, "sepa debit"),
            ({"card_last4": "", "method": ""}, "whatever paid for it"),
        ],
    )
    def test_it_goes_back_to(self, changes: dict[str, Any], means: str) -> None:
        described = REFUNDS.describe(payload(), facts(DISPLAY | changes))

        assert described.detail.startswith(f"back to {means}, ")

    def test_without_a_date(self) -> None:
        described = REFUNDS.describe(payload(), facts(DISPLAY | {"paid_at": None}))

        assert described.detail == "back to Visa ending 4242, paid 120.00 USD"


class TestFactLines:
    """The facts card."""

    def test_of_a_good_payment(self) -> None:
        assert lines(facts()) == {
            "Payment": ("pi_1234", False),
            "Customer": ("cus_9, Ada Lovelace, ada@example.com", False),
            "Paid with": ("Visa ending 4242", False),
            "Paid": ("14 Nov 2026", False),
            "Captured": ("120.00 USD", False),
            "Already refunded": ("0.00 USD", False),
            "Left": ("120.00 USD", False),
            "Disputed": ("No", False),
            "Description": ("Order 1002", False),
        }

    def test_what_should_alarm(self) -> None:
        told = lines(facts(refunded=12000, disputed=True))

        assert {label for label, (_, alarming) in told.items() if alarming} == {
            "Already refunded",
            "Left",
            "Disputed",
        }

    def test_what_is_not_known(self) -> None:
        told = lines(facts({}, customer=None))

        assert told["Customer"] == ("not known", False)
        assert told["Paid"] == ("not yet", False)
        assert "Description" not in told

    def test_a_currency_that_we_do_not_know_is_not_interpreted(self) -> None:
        assert lines(facts(currency="xyz"))["Captured"] == ("12000 minor units of XYZ", False)
