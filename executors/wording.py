"""What each status and finding means for the person who looks, and in which tone it is shown."""

from collections.abc import Mapping
from typing import Any

from executors.enums import ExecutionStatus as S
from executors.enums import FindingKind
from executors.money import DECIMALS, format_money

_SENTENCES = {
    S.QUEUED: "Waiting for a worker. Nothing has been sent.",
    S.HELD: "Stopped. Nothing has been sent, and nothing will be until it is released.",
    S.RUNNING: "A worker has it. A request may already be on its way to the provider.",
    S.UNKNOWN: "Nobody knows whether the provider acted. It is never sent again with a new key.",
    S.SUCCEEDED: "The provider acted, once. The receipt is the proof.",
    S.FAILED: "The provider refused, for good. No money moved.",
    S.REFUSED: "We refused to send it, for good. No money moved.",
    S.REVERSED: "It succeeded, and the provider took it back. The customer lacks the money.",
}
#: In place of the sentence of REVERSED, once somebody has dealt with it.
DEALT_WITH = "It succeeded, and the provider took it back. That has been dealt with."
_TONES = {
    S.QUEUED: "",
    S.HELD: "warn",
    S.RUNNING: "",
    S.UNKNOWN: "no",
    S.SUCCEEDED: "go",
    S.FAILED: "no",
    S.REFUSED: "no",
    S.REVERSED: "no",
}
_ADVICE = {
    FindingKind.OUTSIDE_THE_GATE: "Look at it at the provider: who made it, and with which key? "
    "If none of your people did, take that key away first.",
    FindingKind.DUPLICATE: "Look at both at the provider. If the customer has the money twice, "
    "take one back, or ask for it.",
    FindingKind.CONTRADICTION: "Look at it at the provider. The money has left, though the "
    "execution says that it has not: do not let it be paid once more.",
}


def sentence(status: str) -> str:
    """Return what a status means, in one or two sentences."""
    return _SENTENCES[S(status)]


def tone(status: str) -> str:
    """Return the tone of a status; empty for the neutral one."""
    return _TONES[S(status)]


def advice(kind: str) -> str:
    """Return what a person can do about a finding of this kind."""
    return _ADVICE[FindingKind(kind)]


def receipt_lines(receipt: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return a receipt as labels and values, its amount formatted and in minor units too."""
    lines = [(name.replace("_", " "), str(value)) for name, value in receipt.items()]
    amount, currency = receipt.get("amount"), receipt.get("currency")
    if isinstance(amount, int) and currency in DECIMALS:
        lines = [(name, value) for name, value in lines if name not in ("amount", "currency")]
        lines.insert(0, ("amount", f"{format_money(amount, currency)} ({amount} minor units)"))
    return lines
