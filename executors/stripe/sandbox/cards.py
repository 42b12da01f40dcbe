"""Stripe's test cards: which there are, and what each one makes happen later."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TestCard:
    """A test card from Stripe's documentation on testing."""

    name: str
    number: str
    brand: str = "visa"
    #: How a payment with it is declined; empty when it succeeds.
    decline_code: str = ""
    #: The payment is charged back as soon as it succeeds.
    is_disputed: bool = False
    #: What a refund to this card is at first, and what it settles to.
    refund_status: str = "succeeded"
    refund_settles_to: str = "succeeded"


#: The name is the ending of Stripe's ids: ``pm_card_visa`` and ``tok_visa`` are both ``visa``.
_ALL = (
    TestCard(name="amex", number="378282246310005", brand="amex"),
    TestCard(name="chargeDeclined", number="4000000000000002", decline_code="generic_decline"),
    TestCard(
        name="chargeDeclinedInsufficientFunds",
        number="4000000000009995",
        decline_code="insufficient_funds",
    ),
    TestCard(name="createDispute", number="4000000000000259", is_disputed=True),
    TestCard(name="mastercard", number="5555555555554444", brand="mastercard"),
    TestCard(name="pendingRefund", number="4000000000007726", refund_status="pending"),
    TestCard(name="refundFail", number="4000000000005126", refund_settles_to="failed"),
    TestCard(name="visa", number="4242424242424242"),
)
CARDS: dict[str, TestCard] = {card.name: card for card in _ALL}


def by_name(name: str) -> TestCard | None:
    """Return the card of a ``pm_card_…`` or ``tok_…`` name; a ``visa_`` inside may be left out."""
    for prefix in ("pm_card_visa_", "tok_visa_", "pm_card_", "tok_"):
        if name.startswith(prefix):
            return CARDS.get(name.removeprefix(prefix))
    return None


def by_number(number: str) -> TestCard | None:
    """Return the card with this number."""
    return next((card for card in CARDS.values() if card.number == number), None)
