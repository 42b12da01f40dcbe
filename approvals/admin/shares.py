"""The share of a payment that a request takes, as a picture and in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from approvals.reserving import Promised
from executors.base import Share
from executors.money import format_money

_WIDTH = 1000


@dataclass(frozen=True, kw_only=True)
class Part:
    """One piece of the bar: ``name`` is its colour, ``start`` and ``width`` are in thousandths."""

    name: str
    text: str
    start: int
    width: int


@dataclass(frozen=True, kw_only=True)
class Bar:
    """The pieces of a payment in the order in which it is used up, and the same as one sentence."""

    parts: tuple[Part, ...]
    words: str


def bar_of(share: Share, promised: Promised) -> Bar:
    """Return the bar; what is asked for beyond the payment is a piece of its own."""
    used = share.gone + promised.approved_minor
    fits = min(share.asked, max(share.total - used, 0))
    left = share.total - used - share.asked
    scale = max(share.total, used + share.asked, 1)
    pieces = [("gone", f"refunded {_money(share.gone, share)}", share.gone)]
    if promised.approved_minor:
        text = f"approved here {_money(promised.approved_minor, share)}"
        pieces.append(("promised", text, promised.approved_minor))
    pieces.append(("asked", f"this {_money(share.asked, share)}", fits))
    if left < 0:
        pieces.append(("over", f"too much by {_money(-left, share)}", share.asked - fits))
    else:
        pieces.append(("left", f"left {_money(left, share)}", left))
    words = f"{', '.join(text for _, text, _ in pieces)}, of {_money(share.total, share)}"
    return Bar(parts=tuple(_laid_out(pieces, scale)), words=words)


def _laid_out(pieces: list[tuple[str, str, int]], scale: int) -> Iterator[Part]:
    start = 0
    for name, text, amount in pieces:
        width = amount * _WIDTH // scale
        yield Part(name=name, text=text, start=start, width=width)
        start += width


def _money(amount: int, share: Share) -> str:
    return format_money(amount, share.currency)
