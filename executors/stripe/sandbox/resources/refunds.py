"""Refunds: money that goes back, whole or in parts, never more than was captured."""

import json
import sqlite3

from executors.stripe.sandbox import money
from executors.stripe.sandbox.calls import Call, Json
from executors.stripe.sandbox.errors import ApiError, EarlyError
from executors.stripe.sandbox.ids import new_id
from executors.stripe.sandbox.objects import (
    Kind,
    find_row,
    get_row,
    insert,
    metadata_of,
    page,
)
from executors.stripe.sandbox.parameters import merged_metadata
from executors.stripe.sandbox.resources import charges, events, payment_intents, payment_methods

#: Recorded: these are left out of the answer while they have no value.
_LEFT_OUT_WHEN_EMPTY = (
    "failure_balance_transaction",
    "failure_reason",
    "instructions_email",
    "pending_reason",
)


def serialise(row: sqlite3.Row) -> Json:
    """Return the refund's JSON; a refund has no ``livemode``."""
    body = {
        "id": row["id"],
        "object": "refund",
        "amount": row["amount"],
        "balance_transaction": row["balance_transaction"],
        "charge": row["charge"],
        "created": row["created"],
        "currency": row["currency"],
        "destination_details": {
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        },
        "metadata": metadata_of(row),
        "payment_intent": row["payment_intent"],
        "reason": row["reason"],
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": row["status"],
        "transfer_reversal": None,
    }
    present = {name: row[name] for name in _LEFT_OUT_WHEN_EMPTY if row[name] is not None}
    return {**body, **present}


KIND = Kind(
    table="refunds",
    noun="refund",
    path_param="refund",
    serialise=serialise,
    expandable={"charge": "charge", "payment_intent": "payment_intent"},
)


def create(call: Call) -> Json:
    """Refund a payment, named by its PaymentIntent or its charge; without ``amount`` all the rest.

    Raises:
        EarlyError: neither of the two is named.
        ApiError: unknown, unpaid, uncaptured or disputed payment; nothing or too little left.
    """
    charge = _target(call)
    _check_refundable(charge)
    amount = _amount(charge, call.params.get("amount"))
    card = payment_methods.card_of(charge)
    refund_id = new_id("re_")
    is_pending = card.refund_status == "pending"
    values = {
        "id": refund_id,
        "created": call.now,
        "metadata": json.dumps(merged_metadata({}, call.params.get("metadata"))),
        "charge": charge["id"],
        "payment_intent": charge["payment_intent"],
        "amount": amount,
        "currency": charge["currency"],
        "reason": call.params.get("reason"),
        "status": card.refund_status,
        "pending_reason": "processing" if is_pending else None,
        "instructions_email": call.params.get("instructions_email"),
        "balance_transaction": new_id("txn_"),
    }
    insert(call.tx, KIND, values)
    if call.params.get("reason") == "fraudulent":
        _report_fraud(call, charge["id"])
    charge_body = charges.change_refunded(call, charge["id"], amount)
    body = serialise(get_row(call.tx, KIND, refund_id))
    events.record(call, "refund.created", body)
    events.record(call, "charge.refunded", charge_body)
    return body


def _target(call: Call) -> sqlite3.Row:
    """Return the charge to refund."""
    params = call.params
    if "payment_intent" not in params and "charge" not in params:
        raise EarlyError(
            "One of the following params should be provided for this request: payment_intent or "
            "charge."
        )
    if "payment_intent" not in params:
        return get_row(call.tx, charges.KIND, params["charge"])
    name = "payment_intent"
    intent = get_row(call.tx, payment_intents.KIND, params[name], param=name)
    charge_id = intent["latest_charge"]
    if params.get("charge", charge_id) != charge_id:
        # Which wording Stripe uses here is not documented.
        message = f"Charge {params['charge']} does not belong to PaymentIntent {intent['id']}."
        raise ApiError(message, param="charge")
    charge = find_row(call.tx, charges.KIND, charge_id) if charge_id else None
    if charge is None:
        raise _no_successful_charge(intent["id"])
    return charge


def _no_successful_charge(intent_id: str) -> ApiError:
    message = f"This PaymentIntent ({intent_id}) does not have a successful charge to refund."
    return ApiError(message)


def _check_refundable(charge: sqlite3.Row) -> None:
    """Refuse a charge that cannot be refunded at all (recorded wordings)."""
    if charge["status"] == "failed":
        raise _no_successful_charge(charge["payment_intent"])
    if charge["amount_captured"] == 0:
        raise ApiError(
            f"This uncaptured Charge was created by a PaymentIntent ({charge['payment_intent']}). "
            "You must cancel the PaymentIntent to reverse the authorization instead of refunding "
            "the Charge directly."
        )
    if charge["disputed"]:
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise ApiError(message, code="charge_disputed")


def _amount(charge: sqlite3.Row, asked: int | None) -> int:
    """Return how much to refund (recorded: over the rest is a refusal without a code)."""
    rest = charge["amount_captured"] - charge["amount_refunded"]
    if rest == 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise ApiError(message, code="charge_already_refunded")
    amount: int = rest if asked is None else asked
    currency = charge["currency"]
    if amount > rest:
        raise ApiError(
            f"Refund amount ({money.in_message(amount, currency)}) is greater than unrefunded "
            f"amount on charge ({money.in_message(rest, currency)})",
            param="amount",
        )
    if not money.is_expressible(amount, currency):
        # That the last digit must be 0 is documented; the wording is not.
        message = f"Invalid amount: {currency} amounts must end in 0"
        raise ApiError(message, code="parameter_invalid_integer", param="amount")
    return amount


def _report_fraud(call: Call, charge_id: str) -> None:
    """``fraudulent`` has a second effect: the charge is reported, and Stripe blocks the card."""
    query = "UPDATE charges SET user_report = 'fraudulent' WHERE id = ?"
    call.tx.execute(query, (charge_id,))


def update(call: Call) -> Json:
    """Change the metadata, which is all that can change.

    Raises:
        ApiError: there is no such refund.
    """
    row = get_row(call.tx, KIND, call.object_id)
    metadata = merged_metadata(metadata_of(row), call.params.get("metadata"))
    query = "UPDATE refunds SET metadata = ? WHERE id = ?"
    call.tx.execute(query, (json.dumps(metadata), row["id"]))
    body = serialise(get_row(call.tx, KIND, row["id"]))
    events.record(call, "refund.updated", body)
    return body


def list_all(call: Call) -> Json:
    """List refunds, newest first, by ``payment_intent``, ``charge`` and ``created``."""
    named = {"payment_intent": payment_intents.KIND, "charge": charges.KIND}
    for name, kind in named.items():
        if name in call.params:
            get_row(call.tx, kind, call.params[name], param=name, status=400)
    return page(call, KIND, filters={name: call.params.get(name) for name in named})


def cancel(call: Call) -> Json:
    """Cancel a refund that waits for the customer: the money is back.

    Raises:
        ApiError: there is no such refund, or it does not wait for the customer.
    """
    row = get_row(call.tx, KIND, call.object_id)
    if row["status"] != "requires_action":
        # That only these can be canceled is documented; the wording is not.
        raise ApiError(f"Refund {row['id']} is {row['status']} and cannot be canceled.")
    return _move(call, row, "canceled")


def settle(call: Call, refund_id: str, *, outcome: str | None = None) -> Json:
    """Bring a refund further: to its end, or to where it waits for the customer.

    It ends as ``succeeded``, ``failed`` or ``canceled``; the last two give the money back, and are
    for good. (Cards never wait for the customer; this lets one do so all the same, and be canceled
    as somebody does in Stripe's dashboard.) Without ``outcome`` it ends as its card says. Settling
    twice changes nothing the second time.

    Raises:
        ApiError: there is no such refund.
        ValueError: no such outcome, or it does not follow the present status.
    """
    row = get_row(call.tx, KIND, refund_id)
    charge = get_row(call.tx, charges.KIND, row["charge"])
    outcome = outcome or payment_methods.card_of(charge).refund_settles_to
    if row["status"] == outcome:
        return serialise(row)
    if row["status"] not in _BEFORE.get(outcome, ()):
        raise ValueError(f"A refund that is {row['status']} does not become {outcome}.")
    return _move(call, row, outcome)


#: What a refund may be just before it becomes this.
_BEFORE = {
    "requires_action": ("pending",),
    "succeeded": ("pending", "requires_action"),
    "failed": ("pending", "requires_action", "succeeded"),
    "canceled": ("pending", "requires_action", "succeeded"),
}
#: Why the money came back.
_REASONS = {"failed": "expired_or_canceled_card", "canceled": "merchant_request"}


def _move(call: Call, row: sqlite3.Row, status: str) -> Json:
    reason = _REASONS.get(status)
    call.tx.execute(
        "UPDATE refunds SET status = ?, pending_reason = NULL, failure_reason = ?, "
        "failure_balance_transaction = ? WHERE id = ?",
        (status, reason, new_id("txn_") if reason else None, row["id"]),
    )
    if reason:
        charges.change_refunded(call, row["charge"], -row["amount"])
    body = serialise(get_row(call.tx, KIND, row["id"]))
    events.record(call, "refund.failed" if status == "failed" else "refund.updated", body)
    return body
