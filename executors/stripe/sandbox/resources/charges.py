"""Charges: the money that a payment took, and how much of it went back."""

import sqlite3

from executors.stripe.sandbox.calls import Call, Json
from executors.stripe.sandbox.cards import TestCard
from executors.stripe.sandbox.ids import new_id
from executors.stripe.sandbox.objects import Kind, get_row, insert, metadata_of, page
from executors.stripe.sandbox.resources import events, payment_methods

_NOTHING = (
    "application",
    "application_fee",
    "application_fee_amount",
    "failure_balance_transaction",
    "on_behalf_of",
    "receipt_email",
    "receipt_number",
    "receipt_url",
    "review",
    "shipping",
    "source",
    "source_transfer",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
)
#: The same for every charge here.
_FIXED = {
    **dict.fromkeys(_NOTHING),
    "object": "charge",
    "billing_details": {"address": None, "email": None, "name": None, "phone": None},
    "calculated_statement_descriptor": "LOCAL STRIPE",
    "livemode": False,
    "radar_options": {},
}
DECLINE_MESSAGES = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
}


def serialise(row: sqlite3.Row) -> Json:
    """Return the charge's JSON."""
    card = payment_methods.card_of(row)
    return {
        **_FIXED,
        **_failure(row),
        "id": row["id"],
        "amount": row["amount"],
        "amount_captured": row["amount_captured"],
        "amount_refunded": row["amount_refunded"],
        "balance_transaction": row["balance_transaction"],
        "captured": row["amount_captured"] > 0,
        "created": row["created"],
        "currency": row["currency"],
        "customer": row["customer"],
        "description": row["description"],
        "disputed": bool(row["disputed"]),
        "fraud_details": {"user_report": row["user_report"]} if row["user_report"] else {},
        "metadata": metadata_of(row),
        "outcome": _outcome(row),
        "paid": row["status"] == "succeeded",
        "payment_intent": row["payment_intent"],
        "payment_method": row["payment_method"],
        "payment_method_details": {"card": payment_methods.card_details(card), "type": "card"},
        "refunded": 0 < row["amount_captured"] == row["amount_refunded"],
        "status": row["status"],
    }


def _failure(row: sqlite3.Row) -> Json:
    if row["status"] == "succeeded":
        return {"failure_code": None, "failure_message": None}
    message = DECLINE_MESSAGES[row["decline_code"]]
    return {"failure_code": "card_declined", "failure_message": message}


def _outcome(row: sqlite3.Row) -> Json:
    has_failed = row["status"] == "failed"
    return {
        "network_status": "declined_by_network" if has_failed else "approved_by_network",
        "reason": row["decline_code"],
        "risk_level": "normal",
        "seller_message": "The bank declined it." if has_failed else "Payment complete.",
        "type": "issuer_declined" if has_failed else "authorized",
    }


KIND = Kind(
    table="charges",
    noun="charge",
    path_param="id",
    serialise=serialise,
    expandable={
        "customer": "customer",
        "payment_intent": "payment_intent",
        "payment_method": "payment_method",
    },
)


def list_all(call: Call) -> Json:
    """List charges, newest first, by ``payment_intent``, ``customer`` and ``created``."""
    names = ("payment_intent", "customer")
    return page(call, KIND, filters={name: call.params.get(name) for name in names})


def take(call: Call, intent: sqlite3.Row, card: TestCard) -> sqlite3.Row:
    """Charge the card for the payment; a declined charge is recorded too."""
    charge_id = new_id("ch_")
    is_captured = not card.decline_code and intent["capture_method"] != "manual"
    values = {
        "id": charge_id,
        "created": call.now,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "card": card.name,
        "customer": intent["customer"],
        "description": intent["description"],
        "amount": intent["amount"],
        "currency": intent["currency"],
        "status": "failed" if card.decline_code else "succeeded",
        "amount_captured": intent["amount"] if is_captured else 0,
        "disputed": int(card.is_disputed),
        "decline_code": card.decline_code or None,
        "balance_transaction": new_id("txn_") if is_captured else None,
    }
    insert(call.tx, KIND, values)
    row = get_row(call.tx, KIND, charge_id)
    events.record(call, f"charge.{row['status']}", serialise(row))
    return row


def change_refunded(call: Call, charge_id: str, change: int) -> Json:
    """Add to what was refunded (or take away from it), and return the charge's JSON.

    The table refuses a sum below nothing or above what was captured.
    """
    call.tx.execute(
        "UPDATE charges SET amount_refunded = amount_refunded + ? WHERE id = ?",
        (change, charge_id),
    )
    return serialise(get_row(call.tx, KIND, charge_id))
