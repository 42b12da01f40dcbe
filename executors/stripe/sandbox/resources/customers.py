"""Customers: only a name to show beside a payment."""

import json
import sqlite3

from executors.stripe.sandbox.calls import Call, Json
from executors.stripe.sandbox.ids import new_id
from executors.stripe.sandbox.objects import Kind, get_row, insert, metadata_of
from executors.stripe.sandbox.parameters import merged_metadata
from executors.stripe.sandbox.resources import events


def serialise(row: sqlite3.Row) -> Json:
    """Return the customer's JSON."""
    return {
        "id": row["id"],
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": row["created"],
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": row["description"],
        "discount": None,
        "email": row["email"],
        "livemode": False,
        "metadata": metadata_of(row),
        "name": row["name"],
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
    }


KIND = Kind(table="customers", noun="customer", path_param="id", serialise=serialise, expandable={})


def create(call: Call) -> Json:
    """Create a customer."""
    customer_id = new_id("cus_")
    params = call.params
    metadata = json.dumps(merged_metadata({}, params.get("metadata")))
    named = {name: params.get(name) for name in ("name", "email", "description")}
    values = {"id": customer_id, "created": call.now, "metadata": metadata, **named}
    insert(call.tx, KIND, values)
    body = serialise(get_row(call.tx, KIND, customer_id))
    events.record(call, "customer.created", body)
    return body
