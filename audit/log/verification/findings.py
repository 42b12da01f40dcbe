"""What a verification finds, and how far it is."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something in the database that cannot be so if nobody touched it.

    ``kind`` is stable, for scripts; ``table`` and ``row`` name where to look. Values of the record
    are in none of them: a finding may be read by whoever watches the monitoring.
    """

    kind: str
    table: str
    row: str
    sentence: str

    @property
    def text(self) -> str:
        """Return it as one line."""
        return f"{self.kind} {self.table}:{self.row} {self.sentence}"


def _nothing(steps: int) -> None:
    """Follow no progress."""


@dataclass(kw_only=True)
class Tally:
    """What was looked at so far; ``advance`` is told of each step for a progress bar."""

    advance: Callable[[int], None] = field(default=_nothing, repr=False)
    rows: int = 0
    #: Rows that wait for their leaf, and may.
    waiting: int = 0
    leaves: int = 0
    checkpoints: int = 0
    subjects: int = 0
    current: int = 0
    #: History rows whose content was erased, by an erasure that says so.
    erased: int = 0
    #: By erasure: who, when and why, and of how many history rows. No findings.
    erasures: dict[str, tuple[str, int]] = field(default_factory=dict, repr=False)
    #: Decisions and executions whose tokens were verified.
    tokens: int = 0
    #: Of the newest checkpoint with a good signature: how far the log was verified.
    size: int = 0
    findings: int = 0
    #: Of each key that is revoked: of how many leaves counts what it signed.
    revoked: dict[str, int] = field(default_factory=dict)
    #: What a person should know who reads the result, and is no finding.
    notes: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int | dict[str, int]]:
        """Return all numbers by name."""
        names = [one.name for one in fields(self) if one.type in ("int", int)]
        counts = {name: getattr(self, name) for name in names}
        return counts | ({"revoked": self.revoked} if self.revoked else {})

    def tell_erased(self, erasure: str, sentence: str) -> None:
        """Count a history row that this erasure took the content of."""
        self.erased += 1
        self.erasures[erasure] = (sentence, self.erasures.get(erasure, ("", 0))[1] + 1)
