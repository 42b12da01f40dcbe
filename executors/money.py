"""Money: an integer in minor units, and a currency from a closed table (ISO 4217).

Which currencies have how many decimals at the provider follows Stripe's documentation on
currencies (docs: "Zero-decimal currencies", "Three-decimal currencies", "Special cases").
An unknown currency is refused, never guessed.
"""

from dataclasses import dataclass

from executors.errors import PayloadError

_ZERO_DECIMAL = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
_THREE_DECIMAL = "bhd jod kwd omr tnd"
#: Two decimals on the wire for old times' sake, but only whole units exist.
_WHOLE_UNITS = "isk ugx"
_TWO_DECIMAL = (
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd btn bwp byn bzd "
    "cad cdf chf cny cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd "
    "hnl htg huf idr ils inr jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop "
    "mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar "
    "sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah usd uyu uzs wst xcd "
    "yer zar zmw"
)

#: Decimals of the minor unit, by lower-case code.
DECIMALS: dict[str, int] = {
    **dict.fromkeys(_ZERO_DECIMAL.split(), 0),
    **dict.fromkeys(_TWO_DECIMAL.split(), 2),
    **dict.fromkeys(_WHOLE_UNITS.split(), 2),
    **dict.fromkeys(_THREE_DECIMAL.split(), 3),
}


@dataclass(frozen=True, kw_only=True)
class Money:
    """An amount in minor units of a lower-case currency code."""

    amount_minor: int
    currency: str

    def __str__(self) -> str:
        return format_money(self.amount_minor, self.currency)


def format_money(amount_minor: int, currency: str) -> str:
    """Return the amount as a person reads it: ``1,250.00 USD``, ``500 JPY``, ``1.250 KWD``.

    A currency that is not in the table (a fact read from the provider) is not interpreted.
    """
    if currency not in DECIMALS:
        return f"{amount_minor} minor units of {currency.upper()}"
    decimals = DECIMALS[currency]
    whole, fraction = divmod(abs(amount_minor), 10**decimals)
    text = f"{whole:,}" + (f".{fraction:0{decimals}d}" if decimals else "")
    return f"{'-' if amount_minor < 0 else ''}{text} {currency.upper()}"


def check_amount(amount_minor: int, currency: str) -> None:
    """Refuse an amount that the currency cannot express.

    Raises:
        PayloadError: unknown currency; a three-decimal amount that does not end in 0; a part of
            a unit where only whole units exist.
    """
    if currency not in DECIMALS:
        raise PayloadError(
            f"The currency {currency!r} is not in the table of currencies.",
            field="/currency",
            code="unknown_currency",
        )
    if currency in _THREE_DECIMAL.split() and amount_minor % 10:
        raise PayloadError(
            f"Amounts in {currency} end in 0: the last of three decimals is not used.",
            field="/amount",
            code="invalid_amount",
        )
    if currency in _WHOLE_UNITS.split() and amount_minor % 100:
        raise PayloadError(
            f"Amounts in {currency} are whole units: they end in 00.",
            field="/amount",
            code="invalid_amount",
        )
