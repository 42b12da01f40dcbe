"""A refund as it is usually made safe to repeat: look whether it is there, by its amount.

A control that must lose: the merchant's own refund looks the same.
"""

import stripe

_MADE_BY = {"made_by": "worker"}


def refund_unless_there(client: stripe.StripeClient, payment: str, amount: int) -> str:
    """Refund, unless a refund of this amount is there already: then that was us."""
    listed = client.v1.refunds.list({"payment_intent": payment}).data
    if any(refund.amount == amount for refund in listed):
        return "SUCCEEDED"
    try:
        client.v1.refunds.create(
            {"payment_intent": payment, "amount": amount, "metadata": _MADE_BY}
        )
    except stripe.InvalidRequestError:
        return "FAILED"
    return "SUCCEEDED"


def made_by_worker(client: stripe.StripeClient, payment: str) -> bool:
    """Tell whether the provider has a refund of the worker's own."""
    listed = client.v1.refunds.list({"payment_intent": payment}).data
    return any(refund.to_dict().get("metadata") == _MADE_BY for refund in listed)
