"""What an agent may put into the payload of a refund, as JSON Schema 2020-12."""

from collections.abc import Mapping
from typing import Any

#: Metadata keys with this prefix are ours; agents cannot write them.
OURS = "countersign_"

#: The end of the text. ``$`` would let a line feed slip in behind in some dialects.
_END = r"(?![\s\S])"


def _id_of(*prefixes: str) -> str:
    return f"^(?:{'|'.join(prefixes)})_[A-Za-z0-9_]{{4,200}}{_END}"


REFUND: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Refund a payment",
    "type": "object",
    "additionalProperties": False,
    "required": ["amount", "currency"],
    "oneOf": [{"required": ["payment_intent"]}, {"required": ["charge"]}],
    "properties": {
        "payment_intent": {
            "title": "PaymentIntent",
            "description": "The payment to refund, as pi_…; or give its charge instead.",
            "type": "string",
            "pattern": _id_of("pi"),
        },
        "charge": {
            "title": "Charge",
            "description": "The charge to refund, as ch_… or py_…",
            "type": "string",
            "pattern": _id_of("ch", "py"),
        },
        "amount": {
            "title": "Amount",
            "description": "In the currency's smallest unit: 9500 is 95.00 USD, or 9,500 JPY.",
            "type": "integer",
            "minimum": 1,
            "maximum": 99_999_999,
        },
        "currency": {
            "title": "Currency",
            "description": "The payment's own, as a lower-case ISO 4217 code. It is only checked.",
            "type": "string",
            "pattern": f"^[a-z]{{3}}{_END}",
        },
        "reason": {
            "title": "Reason given to Stripe",
            "description": "`fraudulent` also puts the card and the e-mail address on block lists.",
            "type": "string",
            "enum": ["duplicate", "fraudulent", "requested_by_customer"],
        },
        "metadata": {
            "title": "Metadata",
            "description": "Kept on the refund at Stripe.",
            "type": "object",
            "maxProperties": 40,
            "propertyNames": {"pattern": f"^(?!{OURS})[A-Za-z0-9_-]{{1,40}}{_END}"},
            "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 500},
        },
    },
}
