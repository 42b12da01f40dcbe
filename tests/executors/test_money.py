"""Money: integers, currencies from a closed table, and how both are read."""

import pytest

from executors.errors import PayloadError
from executors.money import DECIMALS, Money, check_amount, format_money


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (125000, "usd", "1,250.00 USD"),
        (5, "eur", "0.05 EUR"),
        (500, "jpy", "500 JPY"),
        (1250, "kwd", "1.250 KWD"),
        (100, "isk", "1.00 ISK"),
        (-9500, "usd", "-95.00 USD"),
        (9500, "xxx", "9500 minor units of XXX"),
    ],
)
def test_it_is_read_as(amount: int, currency: str, text: str) -> None:
    assert format_money(amount, currency) == text
    assert str(Money(amount_minor=amount, currency=currency)) == text


@pytest.mark.parametrize(
    ("amount", "currency"), [(1, "usd"), (1, "jpy"), (1250, "kwd"), (100, "isk"), (300, "ugx")]
)
def test_it_can_be_expressed(amount: int, currency: str) -> None:
    check_amount(amount, currency)


@pytest.mark.parametrize(
    ("amount", "currency", "code", "field"),
    [
        (100, "xxx", "unknown_currency", "/currency"),
        (100, "USD", "unknown_currency", "/currency"),
        (1251, "kwd", "invalid_amount", "/amount"),
        (150, "isk", "invalid_amount", "/amount"),
        (1, "ugx", "invalid_amount", "/amount"),
    ],
)
def test_it_cannot_be_expressed(amount: int, currency: str, code: str, field: str) -> None:
    with pytest.raises(PayloadError) as refused:
        check_amount(amount, currency)

    assert (refused.value.code, refused.value.field) == (code, field)


def test_every_currency_is_a_lower_case_code() -> None:
    assert all(len(code) == 3 and code.islower() for code in DECIMALS)
    assert set(DECIMALS.values()) == {0, 2, 3}
