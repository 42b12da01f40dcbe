"""Payment methods: Stripe's test cards, by name, by token or by test number."""

import json
import sqlite3

from executors.stripe.sandbox import cards
from executors.stripe.sandbox.calls import Call, Json
from executors.stripe.sandbox.cards import TestCard
from executors.stripe.sandbox.errors import ApiError, CardError, resource_missing
from executors.stripe.sandbox.ids import new_id
from executors.stripe.sandbox.objects import Kind, get_row, insert, metadata_of
from executors.stripe.sandbox.parameters import merged_metadata

_EXPIRY_YEAR = 2034


def serialise(row: sqlite3.Row) -> Json:
    """Return the payment method's JSON."""
    return {
        "id": row["id"],
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {"address": None, "email": None, "name": None, "phone": None},
        "card": {**card_details(card_of(row)), "checks": None, "wallet": None},
        "created": row["created"],
        "customer": row["customer"],
        "livemode": False,
        "metadata": metadata_of(row),
        "type": "card",
    }


KIND = Kind(
    table="payment_methods",
    noun="PaymentMethod",
    path_param="payment_method",
    serialise=serialise,
    expandable={"customer": "customer"},
)


def card_of(row: sqlite3.Row) -> TestCard:
    """Return the test card behind the payment method."""
    return cards.CARDS[row["card"]]


def card_details(card: TestCard) -> Json:
    """Return what payments and payment methods say about their card."""
    return {
        "brand": card.brand,
        "country": "US",
        "exp_month": 12,
        "exp_year": _EXPIRY_YEAR,
        "funding": "credit",
        "last4": card.number[-4:],
    }


def create(call: Call) -> Json:
    """Create a payment method from ``card[token]`` or a test ``card[number]``.

    Raises:
        ApiError: the token or number is none of the known test cards.
    """
    asked = call.params.get("card", {})
    if "token" in asked:
        card = cards.by_name(asked["token"]) if asked["token"].startswith("tok_") else None
        refusal: ApiError = resource_missing(
            "token", asked["token"], param="card[token]", status=400
        )
    elif "number" in asked:
        card = cards.by_number(asked["number"])
        refusal = CardError("Your card number is incorrect.", code="incorrect_number")
    else:
        raise ApiError("Missing required param: card.", code="parameter_missing", param="card")
    if card is None:
        raise refusal
    return serialise(_insert(call, card, call.params.get("metadata")))


def retrieve(call: Call) -> Json:
    """Read a payment method; a test name such as ``pm_card_visa`` answers with a new one of it."""
    return serialise(get(call, call.object_id, param=KIND.path_param, status=404))


def get(call: Call, object_id: str, *, param: str, status: int = 400) -> sqlite3.Row:
    """Return the payment method, made on the spot from a test name.

    Raises:
        ApiError: there is none (``resource_missing``).
    """
    card = cards.by_name(object_id) if object_id.startswith("pm_card_") else None
    if card is not None:
        return _insert(call, card, None)
    return get_row(call.tx, KIND, object_id, param=param, status=status)


def _insert(call: Call, card: TestCard, metadata: dict[str, str] | None) -> sqlite3.Row:
    method_id = new_id("pm_")
    values = {
        "id": method_id,
        "created": call.now,
        "metadata": json.dumps(merged_metadata({}, metadata)),
        "card": card.name,
    }
    insert(call.tx, KIND, values)
    return get_row(call.tx, KIND, method_id)
