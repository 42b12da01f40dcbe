"""PaymentIntents: creating, confirming and reading payments."""

import json
import sqlite3
from typing import NoReturn

from executors.stripe.sandbox import money
from executors.stripe.sandbox.calls import Call, Json
from executors.stripe.sandbox.errors import ApiError, CardError
from executors.stripe.sandbox.ids import new_id, random_text
from executors.stripe.sandbox.objects import Kind, get_row, insert, metadata_of, page
from executors.stripe.sandbox.parameters import merged_metadata
from executors.stripe.sandbox.resources import charges, customers, events, payment_methods

#: Stripe's documented ceiling: eight digits in minor units.
MAX_AMOUNT = 99_999_999
_NOTHING = (
    "application",
    "application_fee_amount",
    "automatic_payment_methods",
    "canceled_at",
    "cancellation_reason",
    "last_payment_error",
    "next_action",
    "on_behalf_of",
    "processing",
    "review",
    "setup_future_usage",
    "shipping",
    "source",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
)
_CONFIRMABLE = ("requires_payment_method", "requires_confirmation")


def serialise(row: sqlite3.Row) -> Json:
    """Return the PaymentIntent's JSON."""
    has_succeeded = row["status"] == "succeeded"
    return {
        **dict.fromkeys(_NOTHING),
        "id": row["id"],
        "object": "payment_intent",
        "amount": row["amount"],
        "amount_capturable": row["amount"] if row["status"] == "requires_capture" else 0,
        "amount_details": {"tip": {}},
        "amount_received": row["amount"] if has_succeeded else 0,
        "capture_method": row["capture_method"],
        "client_secret": f"{row['id']}_secret_{row['secret']}",
        "confirmation_method": "automatic",
        "created": row["created"],
        "currency": row["currency"],
        "customer": row["customer"],
        "description": row["description"],
        "latest_charge": row["latest_charge"],
        "livemode": False,
        "metadata": metadata_of(row),
        "payment_method": row["payment_method"],
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "receipt_email": row["receipt_email"],
        "status": row["status"],
    }


KIND = Kind(
    table="payment_intents",
    noun="payment_intent",
    path_param="intent",
    serialise=serialise,
    expandable={
        "customer": "customer",
        "latest_charge": "charge",
        "payment_method": "payment_method",
    },
)


def create(call: Call) -> Json:
    """Create a payment, and confirm it at once where ``confirm`` is true.

    Raises:
        ApiError: an unknown customer or payment method, an amount that the currency does not have.
        CardError: the card was declined (402); payment and charge stay on record.
    """
    params = call.params
    _check_amount(params["amount"], params["currency"])
    if "customer" in params:
        get_row(call.tx, customers.KIND, params["customer"], param="customer", status=400)
    method = params.get("payment_method")
    method_id = payment_methods.get(call, method, param="payment_method")["id"] if method else None
    intent_id = new_id("pi_")
    values = {
        "id": intent_id,
        "created": call.now,
        "metadata": json.dumps(merged_metadata({}, params.get("metadata"))),
        "secret": random_text(25),
        "amount": params["amount"],
        "currency": params["currency"],
        "status": "requires_confirmation" if method_id else "requires_payment_method",
        "capture_method": params.get("capture_method", "automatic_async"),
        "payment_method": method_id,
        **{name: params.get(name) for name in ("customer", "description", "receipt_email")},
    }
    insert(call.tx, KIND, values)
    row = get_row(call.tx, KIND, intent_id)
    events.record(call, "payment_intent.created", serialise(row))
    return _confirm(call, row) if params.get("confirm") else serialise(row)


def _check_amount(amount: int, currency: str) -> None:
    if amount > MAX_AMOUNT:
        ceiling = money.in_message(MAX_AMOUNT, currency)
        message = f"Amount must be no more than {ceiling}"
        raise ApiError(message, code="amount_too_large", param="amount")
    if not money.is_expressible(amount, currency):
        # That the last digit must be 0 is documented; the wording is not.
        message = f"Invalid amount: {currency} amounts must end in 0"
        raise ApiError(message, code="parameter_invalid_integer", param="amount")


def confirm(call: Call) -> Json:
    """Confirm a payment, with the payment method it has or the one given now.

    Raises:
        ApiError: an unknown payment or method, no method, or a payment that is past confirming.
        CardError: the card was declined (402).
    """
    row = get_row(call.tx, KIND, call.object_id)
    if row["status"] not in _CONFIRMABLE:
        _refuse_state(row)
    if "payment_method" in call.params:
        method = payment_methods.get(call, call.params["payment_method"], param="payment_method")
        query = "UPDATE payment_intents SET payment_method = ? WHERE id = ?"
        call.tx.execute(query, (method["id"], row["id"]))
        row = get_row(call.tx, KIND, row["id"])
    return _confirm(call, row)


def _refuse_state(row: sqlite3.Row) -> NoReturn:
    raise ApiError(
        f"You cannot confirm this PaymentIntent because it has a status of {row['status']}.",
        code="payment_intent_unexpected_state",
        payment_intent=serialise(row),
    )


def _confirm(call: Call, row: sqlite3.Row) -> Json:
    if row["payment_method"] is None:
        raise ApiError(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
            payment_intent=serialise(row),
        )
    method = get_row(call.tx, payment_methods.KIND, row["payment_method"])
    card = payment_methods.card_of(method)
    charge = charges.take(call, row, card)
    if card.decline_code:
        body = _finish(call, row["id"], "requires_payment_method", charge["id"])
        events.record(call, "payment_intent.payment_failed", body)
        raise CardError(
            charges.DECLINE_MESSAGES[card.decline_code],
            code="card_declined",
            decline_code=card.decline_code,
            charge=charge["id"],
            payment_intent=body,
        )
    is_held = row["capture_method"] == "manual"
    status = "requires_capture" if is_held else "succeeded"
    body = _finish(call, row["id"], status, charge["id"])
    outcome = "amount_capturable_updated" if is_held else "succeeded"
    events.record(call, f"payment_intent.{outcome}", body)
    return body


def _finish(call: Call, intent_id: str, status: str, charge_id: str) -> Json:
    query = "UPDATE payment_intents SET status = ?, latest_charge = ? WHERE id = ?"
    call.tx.execute(query, (status, charge_id, intent_id))
    return serialise(get_row(call.tx, KIND, intent_id))


def list_all(call: Call) -> Json:
    """List payments, newest first, by ``customer`` and ``created``."""
    return page(call, KIND, filters={"customer": call.params.get("customer")})
