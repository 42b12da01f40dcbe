"""Verifies the record of one story now, on the server: a look of one's own, not the proof.

The proof for somebody who does not trust this installation is the evidence file.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit import clock
from audit.erasure.told import erasures_of, of_row
from audit.errors import LogError
from audit.log import merkle, storage
from audit.log.checkpoints import TreeHead
from audit.log.proving import Prover
from audit.log.seals import Seal, place_of, seals_of
from audit.log.verification import current, heads
from audit.log.verification.findings import Tally
from audit.log.verification.rows import check_row, is_gone
from audit.timeline import Facts

#: What each row is held to, with the kinds of findings that speak against it.
_CHECKS = (
    ("HMAC", ("hmac", "bytes")),
    ("columns are its bytes", ("columns", "bytes")),
    ("leaf", ("leaf", "bytes", "unsealed")),
)
#: The same for a row that an erasure took the content of, and says so.
_CHECKS_OF_ERASED = (("what was left", ("columns",)), ("leaf", ("unsealed",)))
_INCLUSION = "inclusion"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that a row was held to. ``good`` is None when there was nothing to compare yet."""

    name: str
    good: bool | None


@dataclass(frozen=True, kw_only=True)
class RowResult:
    """What came of one row, and what is wrong with it, as sentences.

    ``is_erased`` says that its content was erased by an erasure that says so.
    """

    checks: Sequence[Check]
    wrong: Sequence[str] = ()
    is_erased: bool = False


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came of a verification. ``wrong`` is about the story as a whole."""

    at: datetime
    size: int
    rows: dict[str, RowResult]
    wrong: Sequence[str]

    @property
    def bad(self) -> int:
        """Return how many rows do not hold."""
        return sum(1 for row in self.rows.values() if row.wrong)

    @property
    def erased(self) -> int:
        """Return of how many rows the content was erased."""
        return sum(1 for row in self.rows.values() if row.is_erased)

    @property
    def waiting(self) -> int:
        """Return how many rows are not sealed yet, and may."""
        unsealed = [row for row in self.rows.values() if row.checks and not row.wrong]
        return sum(1 for row in unsealed if any(check.good is None for check in row.checks))

    @property
    def is_good(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.bad and not self.wrong


def verify(known: Sequence[Facts]) -> Report:
    """Compute everything about these facts again, against the newest checkpoint; writes nothing.

    Raises:
        KeyFileError: the file of trusted keys cannot be read.
    """
    at = clock.now()
    head = heads.newest_head(heads.present_trust())
    rows = [row for facts in known for row in facts.rows]
    results = dict(_results(rows, head, at))
    for table, pk in (place for facts in known for place in facts.unreadable):
        sentence = "A column holds what it cannot hold."
        results[f"{table}:{pk}"] = RowResult(checks=(), wrong=(sentence,))
    wrong = [*_newest_is_good(head), *_gaps(known), *_current(rows)]
    return Report(at=at, size=0 if head is None else head.size, rows=results, wrong=wrong)


def _results(
    rows: Sequence[Any], head: TreeHead | None, at: datetime
) -> Iterator[tuple[str, RowResult]]:
    seals = seals_of(rows)
    prover = None if head is None else Prover(size=head.size, root=head.root)
    erasures = erasures_of(row.subject for row in rows if is_gone(row))
    for row in rows:
        table, pk = place_of(row)
        seal = seals.get((table, pk))
        entry = None if seal is None else seal.entry
        found = dict(check_row(row, entry, at, Tally(), erasures))
        is_erased = is_gone(row) and of_row(row, erasures) is not None
        against = ""
        if seal is not None:
            covering = prover if head is not None and seal.leaf < head.size else None
            against = _not_included(None if is_erased else row, seal, covering)
        yield (
            f"{table}:{pk}",
            RowResult(
                checks=_checks(found, seal, against, is_erased=is_erased),
                wrong=[*found.values(), *filter(None, [against])],
                is_erased=is_erased,
            ),
        )


def _checks(
    found: Mapping[str, str], seal: Seal | None, against: str, *, is_erased: bool
) -> list[Check]:
    checks = [
        Check(name=name, good=not any(kind in found for kind in kinds))
        for name, kinds in (_CHECKS_OF_ERASED if is_erased else _CHECKS)
    ]
    if seal is None and "unsealed" not in found:
        checks[-1] = Check(name="leaf", good=None)
    return [*checks, Check(name=_INCLUSION, good=None if seal is None else not against)]


def _not_included(row: Any | None, seal: Seal, prover: Prover | None) -> str:
    """Return why the bytes of a row are not in the log at the place of its leaf; empty if so.

    Without a row, which was erased: the digest that was sealed.
    """
    if prover is None:
        return "No checkpoint under a trusted key covers its leaf."
    try:
        entry = bytes.fromhex(seal.entry)
        if row is not None:
            entry = merkle.entry_of(bytes.fromhex(row.salt), row.canonical.encode())
        prover.prove(seal.leaf, entry)
    except (LogError, ValueError, TypeError, AttributeError):
        what = "leaf does" if row is None else "bytes do"
        return f"Its {what} not lead to the root that was signed."
    return ""


def _newest_is_good(head: TreeHead | None) -> Iterator[str]:
    last = storage.last_checkpoint()
    if last is not None and (head is None or head.size != last.size):
        yield f"The newest checkpoint, over {last.size} leaves, is not what a trusted key signed."


def _gaps(known: Sequence[Facts]) -> Iterator[str]:
    """Find facts that are missing, or there twice: each subject's numbers have no gaps."""
    for facts in known:
        counted = Counter(row.number for row in facts.rows)
        is_whole = all(counted[number] for number in range(1, facts.told + 1))
        if not (facts.told and is_whole and counted.most_common(1)[0][1] == 1):
            yield (
                f"Of the {facts.told} facts that were told about {facts.subject} some are "
                "missing, or are there twice."
            )


def _current(rows: Sequence[Any]) -> Iterator[str]:
    """Compare what the tables hold now with the newest history row of each."""
    items = {(type(row), getattr(row, row.instance_type._meta.pk.attname)) for row in rows}
    for model, key in sorted(items, key=lambda item: (item[0]._meta.db_table, str(item[1]))):
        for finding in current.check_one(model, key):
            yield f"{finding.table} {finding.row}: {finding.sentence}"
