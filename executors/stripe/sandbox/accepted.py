"""Which parameters each endpoint accepts."""

import re

from executors.stripe.sandbox import parameters
from executors.stripe.sandbox.errors import EarlyError, parameter_empty
from executors.stripe.sandbox.parameters import (
    Kind,
    Parameters,
    boolean,
    choice,
    integer,
    nested,
    text,
    texts,
)

_LISTED = {
    "created": parameters.created,
    "ending_before": text(),
    "limit": integer(minimum=1, maximum=100),
    "starting_after": text(),
}
_EXPAND = {"expand": texts}
_CURRENCY = re.compile(r"[a-z]{3}")


def _currency(value: object, name: str) -> str:
    if value == "":
        raise parameter_empty(name)
    if not isinstance(value, str) or _CURRENCY.fullmatch(value.lower()) is None:
        raise EarlyError(f"Invalid currency: {value}.", param=name)
    return value.lower()


REFUND_CREATE = Parameters(
    fields={
        "amount": integer(minimum=1),
        "charge": text(),
        **_EXPAND,
        "instructions_email": text(),
        "metadata": parameters.metadata,
        "payment_intent": text(),
        "reason": choice("duplicate", "fraudulent", "requested_by_customer"),
    },
    unsupported=frozenset(
        {"currency", "customer", "origin", "refund_application_fee", "reverse_transfer"}
    ),
)
INTENT_CREATE = Parameters(
    fields={
        "amount": integer(minimum=1),
        "automatic_payment_methods": nested(
            Parameters(
                fields={"allow_redirects": choice("always", "never"), "enabled": boolean},
                required=("enabled",),
            )
        ),
        "capture_method": choice("automatic", "automatic_async", "manual"),
        "confirm": boolean,
        "currency": _currency,
        "customer": text(),
        "description": text(),
        "error_on_requires_action": boolean,
        **_EXPAND,
        "metadata": parameters.metadata,
        "off_session": boolean,
        "payment_method": text(),
        "payment_method_types": texts,
        "receipt_email": text(),
        "return_url": text(),
    },
    required=("amount", "currency"),
)
METHOD_CREATE = Parameters(
    fields={
        "card": nested(
            Parameters(
                fields={
                    "cvc": text(),
                    "exp_month": integer(minimum=1, maximum=12),
                    "exp_year": integer(minimum=0),
                    "number": text(),
                    "token": text(),
                }
            )
        ),
        **_EXPAND,
        "metadata": parameters.metadata,
        "type": choice("card"),
    },
    required=("type",),
)
INTENT_CONFIRM = Parameters(
    fields={**_EXPAND, "payment_method": text(), "return_url": text()},
)
CUSTOMER_CREATE = Parameters(
    fields={
        **_EXPAND,
        "description": text(),
        "email": text(512),
        "metadata": parameters.metadata,
        "name": text(256),
    }
)
REFUND_UPDATE = Parameters(fields={**_EXPAND, "metadata": parameters.metadata})
REFUND_CANCEL = Parameters(fields=_EXPAND)
READ = Parameters(fields=_EXPAND)


def listing(**filters: Kind) -> Parameters:
    """Return the parameters of a list: paging, ``created``, ``expand`` and these filters."""
    return Parameters(fields={**_LISTED, **_EXPAND, **filters})
