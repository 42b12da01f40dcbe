"""Events as Stripe sends them: signed by its own library."""

import json
from typing import Any

from django.test import Client
from stripe import WebhookSignature

from audit import clock

SECRET = "whsec_of_a_test"
ADDRESS = "/webhooks/stripe"


def event_about(refund: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A ``refund.updated``; keywords change the event, ``refund`` is its object."""
    return {
        "id": "evt_1",
        "object": "event",
        "type": "refund.updated",
        "data": {"object": {"id": "re_1", "object": "refund", "metadata": {}, **(refund or {})}},
        **changes,
    }


def signature(text: str, *, secret: str = SECRET, ahead: int = 0) -> str:
    """The header of a delivery, made so many seconds ahead of now."""
    at = int(clock.now().timestamp()) + ahead
    return WebhookSignature.generate_signature_header(text, secret, at)


def deliver(event: Any, *, client: Client | None = None, header: str | None = None) -> Any:
    """Send an event (or a text that is none) to the webhook; signed unless told otherwise."""
    text = event if isinstance(event, str) else json.dumps(event)
    header = signature(text) if header is None else header
    return (client or Client(enforce_csrf_checks=True)).post(
        ADDRESS,
        data=text.encode(),
        content_type="application/json",
        headers={"Stripe-Signature": header},
    )
