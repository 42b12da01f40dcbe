"""Events: what changed, with the object as it was then. Recorded here, delivered elsewhere."""

import json
import sqlite3

from executors.stripe.sandbox.calls import Call, Json
from executors.stripe.sandbox.ids import new_id
from executors.stripe.sandbox.objects import Kind, insert, page
from executors.stripe.sandbox.version import API_VERSION


def record(call: Call, name: str, body: Json) -> None:
    """Record what happened, such as ``refund.created``, in the transaction of the change."""
    values = {
        "id": new_id("evt_"),
        "created": call.now,
        "type": name,
        "object": json.dumps(body),
        "request": call.request_id,
        "idempotency_key": call.idempotency_key,
    }
    insert(call.tx, KIND, values)


def serialise(row: sqlite3.Row) -> Json:
    """Return the event's JSON."""
    return {
        "id": row["id"],
        "object": "event",
        "api_version": API_VERSION,
        "created": row["created"],
        "data": {"object": json.loads(row["object"])},
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": row["request"], "idempotency_key": row["idempotency_key"]},
        "type": row["type"],
    }


KIND = Kind(table="events", noun="event", path_param="id", serialise=serialise, expandable={})


def list_all(call: Call) -> Json:
    """List events, newest first, by ``type`` and ``created``."""
    return page(call, KIND, filters={"type": call.params.get("type")})
