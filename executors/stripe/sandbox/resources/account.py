"""The account that a key belongs to."""

from executors.stripe.sandbox.calls import Call, Json


def retrieve(call: Call) -> Json:
    """Read the account."""
    return {
        "id": call.account,
        "object": "account",
        "business_profile": {"name": "Local Stripe"},
        "charges_enabled": True,
        "country": "US",
        "default_currency": "usd",
        "details_submitted": True,
        "email": None,
        "metadata": {},
        "payouts_enabled": True,
        "settings": {"dashboard": {"display_name": "Local Stripe", "timezone": "Etc/UTC"}},
        "type": "standard",
    }
