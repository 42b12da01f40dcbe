"""A refund and its payment in words, for the person who decides."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from executors.base import Description, FactLine, Facts
from executors.money import Money, format_money

_BRANDS = {
    "amex": "American Express",
    "diners": "Diners Club",
    "jcb": "JCB",
    "unionpay": "UnionPay",
}


def describe(payload: Mapping[str, Any], money: Money, facts: Facts | None) -> Description:
    """Say what will happen, with what is known about the payment."""
    warnings = []
    if payload.get("reason") == "fraudulent":
        warnings.append(
            "Reason “fraudulent” has a second effect: Stripe also puts the card and the e-mail "
            "address on the account's block lists."
        )
    if facts is None:
        payment = payload.get("payment_intent") or payload.get("charge")
        return Description(
            title=f"Refund {money} of payment {payment}",
            detail="The payment has not been read from Stripe yet.",
            warnings=warnings,
        )
    customer = facts.material["customer"]
    whom = f"to customer {customer}" if customer else f"of payment {facts.material['payment']}"
    return Description(title=f"Refund {money} {whom}", detail=_where_to(facts), warnings=warnings)


def fact_lines(facts: Facts) -> Sequence[FactLine]:
    """Say what Stripe said, in the order in which a person asks."""
    material, display = facts.material, facts.display
    currency = material["currency"]
    customer = [material["customer"], display.get("customer_name"), display.get("customer_email")]
    left = material["captured"] - material["refunded"]
    lines = [
        FactLine(label="Payment", value=material["payment"]),
        FactLine(label="Customer", value=", ".join(filter(None, customer)) or "not known"),
        FactLine(label="Paid with", value=_means(display)),
        FactLine(label="Paid", value=_day(display.get("paid_at")) or "not yet"),
        FactLine(label="Captured", value=format_money(material["captured"], currency)),
        FactLine(
            label="Already refunded",
            value=format_money(material["refunded"], currency),
            alarming=material["refunded"] > 0,
        ),
        FactLine(label="Left", value=format_money(left, currency), alarming=left <= 0),
        FactLine(
            label="Disputed",
            value="Yes: Stripe refuses to refund it" if material["disputed"] else "No",
            alarming=material["disputed"],
        ),
    ]
    if display.get("description"):
        lines.append(FactLine(label="Description", value=display["description"]))
    return lines


def _where_to(facts: Facts) -> str:
    display = facts.display
    paid = f"paid {format_money(display['amount'], facts.material['currency'])}"
    day = _day(display.get("paid_at"))
    return f"back to {_means(display)}, {paid}" + (f" on {day}" if day else "")


def _means(display: Mapping[str, Any]) -> str:
    last4 = display.get("card_last4")
    if last4:
        brand = display.get("card_brand") or "card"
        return f"{_BRANDS.get(brand, brand.capitalize())} ending {last4}"
    return str(display.get("method") or "").replace("_", " ") or "whatever paid for it"


def _day(paid_at: str | None) -> str:
    if not paid_at:
        return ""
    moment = datetime.fromisoformat(paid_at)
    return f"{moment.day} {moment:%b %Y}"
