"""The payment behind a refund: how it is named, read and compared."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from executors.base import Facts
from executors.enums import AttemptClass
from executors.errors import PayloadError, ProviderError
from executors.money import Money, format_money
from executors.stripe.cleaning import MOST_ID, is_name
from executors.stripe.gateway import Gateway

_PATHS = {"payment_intent": "/v1/payment_intents", "charge": "/v1/charges"}


def field_of(payload: Mapping[str, Any]) -> str:
    """Return which field names the payment: ``payment_intent`` or ``charge``."""
    return "payment_intent" if "payment_intent" in payload else "charge"


def read(gateway: Gateway, field: str, payment_id: str) -> Facts:
    """Read a payment by the id in this field, and whose account it is in.

    Raises:
        ProviderError: unreadable, or unknown to Stripe (``resource_missing``).
    """
    path = f"{_PATHS[field]}/{payment_id}"
    try:
        if field == "charge":
            payment = charge = gateway.get(path).data
        else:
            payment = gateway.get(path, expand=["latest_charge"]).data
            charge = payment.get("latest_charge") or {}
        return Facts(
            provider=gateway.provider(),
            material=_material(payment, charge),
            display=_display(payment, charge),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ProviderError(
            f"Stripe's answer is not a payment: {error!r}",
            attempt_class=AttemptClass.AMBIGUOUS,
            code="unreadable_answer",
        ) from error


def check(money: Money, facts: Facts) -> None:
    """Compare a refund with the facts.

    Raises:
        PayloadError: with the field that cannot be, and why.
    """
    material = facts.material
    if material["currency"] != money.currency:
        raise PayloadError(
            f"The payment is in {material['currency'].upper()}, not in {money.currency.upper()}.",
            field="/currency",
            code="currency_mismatch",
        )
    if not material["captured"]:
        raise PayloadError("Nothing was captured of this payment yet.", code="not_captured")
    if material["disputed"]:
        raise PayloadError(
            "The customer has disputed this payment: Stripe refuses to refund it.",
            code="payment_disputed",
        )
    left = material["captured"] - material["refunded"]
    if money.amount_minor > left:
        raise PayloadError(
            f"Only {format_money(left, money.currency)} of the payment are left.",
            field="/amount",
            code="amount_above_remainder",
        )


def _material(payment: Mapping[str, Any], charge: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "payment": _name(payment["id"]),
        "charge": _name_or_none(charge.get("id")),
        "customer": _name_or_none(payment.get("customer")),
        "currency": _name(payment["currency"]),
        "captured": charge.get("amount_captured", 0),
        "refunded": charge.get("amount_refunded", 0),
        "disputed": bool(charge.get("disputed", False)),
    }


def _name(value: Any) -> str:
    """Return an id or a code, which the record keeps and compares.

    Raises:
        TypeError: it is none, or too long to be kept.
    """
    if not is_name(value, MOST_ID):
        raise TypeError("an id or a code cannot be read")
    name: str = value
    return name


def _name_or_none(value: Any) -> str | None:
    return None if value is None else _name(value)


def _display(payment: Mapping[str, Any], charge: Mapping[str, Any]) -> dict[str, Any]:
    details = charge.get("payment_method_details") or {}
    card = details.get("card") or {}
    billing = charge.get("billing_details") or {}
    return {
        "status": str(payment.get("status", "")),
        "amount": payment["amount"],
        "paid_at": _instant(charge.get("created")),
        "method": str(details.get("type") or ""),
        "card_brand": str(card.get("brand") or ""),
        "card_last4": str(card.get("last4") or ""),
        "customer_name": str(billing.get("name") or ""),
        "customer_email": str(billing.get("email") or ""),
        "description": str(payment.get("description") or ""),
    }


def _instant(seconds: int | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
