"""Amounts in messages and on the page: integers in minor units, shown as people write them."""

#: Decimals of currencies that do not have two (Stripe's documentation on currencies).
_ZERO_DECIMAL = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
_THREE_DECIMAL = "bhd jod kwd omr tnd"
_DECIMALS = {
    **dict.fromkeys(_ZERO_DECIMAL.split(), 0),
    **dict.fromkeys(_THREE_DECIMAL.split(), 3),
}
_SYMBOLS = {"eur": "€", "gbp": "£", "jpy": "¥", "usd": "$"}


def plain(amount: int, currency: str) -> str:
    """Return the amount in major units, as ``1,250.00``."""
    decimals = _DECIMALS.get(currency, 2)
    whole, fraction = divmod(amount, 10**decimals)
    return f"{whole:,}" + (f".{fraction:0{decimals}d}" if decimals else "")


def in_message(amount: int, currency: str) -> str:
    """Return the amount as Stripe's refusals write it (recorded for dollars and euros)."""
    symbol = _SYMBOLS.get(currency)
    number = plain(amount, currency)
    return f"{symbol}{number}" if symbol else f"{number} {currency.upper()}"


def is_expressible(amount: int, currency: str) -> bool:
    """Say whether the currency has this amount: three-decimal ones move in steps of ten."""
    return _DECIMALS.get(currency, 2) != 3 or amount % 10 == 0
