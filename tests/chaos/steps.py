"""What may happen in a schedule. Each step can say itself in a line that a person understands."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Fate(StrEnum):
    """What happens to a process when it comes to its place."""

    NONE = "nothing happens to it"
    KILL = "killed at"
    KILL_SOON = "killed soon after"
    FREEZE = "frozen at"
    STALL = "stands still for a moment at"
    LOSE_COMMIT = "hears no answer to its next COMMIT after"


@dataclass(frozen=True, kw_only=True)
class Job:
    """A process: what it does about which refund, and its fate. ``delay`` is in seconds."""

    refund: int
    reads: bool = False
    fate: Fate = Fate.NONE
    place: str = ""
    delay: float = 0.0

    def __str__(self) -> str:
        verb = "reads about" if self.reads else "carries out"
        soon = f" (by {self.delay * 1000:.1f} ms)" if self.fate is Fate.KILL_SOON else ""
        return f"{verb} refund {self.refund}, {self.fate} {self.place}{soon}".rstrip()


@dataclass(frozen=True, kw_only=True)
class Decide:
    """A decision is signed and queued. ``within`` is how long it may be carried out, in seconds."""

    refund: int
    payment: int
    amount: int
    within: int

    def __str__(self) -> str:
        return (
            f"decide refund {self.refund}: {self.amount} of payment {self.payment}, "
            f"to be carried out within {self.within} s"
        )


@dataclass(frozen=True, kw_only=True)
class Work:
    """Processes that are started side by side, and waited for unless they stand still."""

    jobs: tuple[Job, ...]

    def __str__(self) -> str:
        return "at once: " + "; ".join(map(str, self.jobs))


@dataclass(frozen=True, kw_only=True)
class Break:
    """The next requests that fit go wrong at the provider (see ``sandbox.faults``)."""

    lines: tuple[dict[str, Any], ...]

    def __str__(self) -> str:
        said = [
            f"{line['fault']} on {line['match']['method']} ×{line['times']}"
            + (f" ({line['seconds']} s)" if "seconds" in line else "")
            for line in self.lines
        ]
        return "the provider will fail: " + ", ".join(said)


@dataclass(frozen=True, kw_only=True)
class Storm:
    """From now on a share of all requests goes wrong at random; 0 ends it."""

    seed: int
    rate: float
    kinds: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.rate:.0%} of all requests fail from now on (faults' seed {self.seed})"


@dataclass(frozen=True, kw_only=True)
class Jump:
    """Both clocks go forward by so many seconds; below 0, the database's alone is put back."""

    seconds: int

    def __str__(self) -> str:
        if self.seconds < 0:
            return f"the database's clock is put back by {-self.seconds} s"
        return f"{self.seconds} s pass"


@dataclass(frozen=True)
class Sweep:
    """The sweeper runs, and whom it rings for is carried out or read about."""

    def __str__(self) -> str:
        return "the sweeper rings, and is heard"


@dataclass(frozen=True)
class Wake:
    """Whatever stands still goes on, and every request under way ends."""

    def __str__(self) -> str:
        return "what stands still goes on, what is under way arrives"


@dataclass(frozen=True, kw_only=True)
class Brake:
    """A person holds one refund, or everything (None)."""

    refund: int | None

    def __str__(self) -> str:
        return "hold everything" if self.refund is None else f"hold refund {self.refund}"


@dataclass(frozen=True, kw_only=True)
class Release:
    """A person takes that back."""

    refund: int | None

    def __str__(self) -> str:
        return "lift the hold" if self.refund is None else f"release refund {self.refund}"


@dataclass(frozen=True, kw_only=True)
class Revoke:
    """A person takes an approval back, if it is early enough."""

    refund: int

    def __str__(self) -> str:
        return f"revoke refund {self.refund}"


@dataclass(frozen=True, kw_only=True)
class Settle:
    """The provider brings a refund that it has to its end: the customer has it, or it came back."""

    refund: int
    outcome: str

    def __str__(self) -> str:
        return f"if the provider has refund {self.refund}, it becomes {self.outcome} there"


Step = Decide | Work | Break | Storm | Jump | Sweep | Wake | Brake | Release | Revoke | Settle
