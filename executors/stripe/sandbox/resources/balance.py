"""The balance: what was captured and not given back, per currency."""

from executors.stripe.sandbox.calls import Call, Json

_SUMS = (
    "SELECT currency, sum(amount_captured - amount_refunded) AS amount FROM charges "
    "GROUP BY currency ORDER BY currency"
)


def retrieve(call: Call) -> Json:
    """Read the balance; everything is available at once here."""
    amounts = {row["currency"]: row["amount"] for row in call.tx.execute(_SUMS)} or {"usd": 0}
    return {
        "object": "balance",
        "available": [_part(currency, amount) for currency, amount in amounts.items()],
        "livemode": False,
        "pending": [_part(currency, 0) for currency in amounts],
    }


def _part(currency: str, amount: int) -> Json:
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}
