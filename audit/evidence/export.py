"""Every row of a period as JSON Lines, each with its proof, and one checkpoint for all of them."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, Max, Min, OuterRef, Q

from audit.errors import EvidenceError, LogError
from audit.evidence.heads import SignedHead, first_head_over
from audit.history import stamp
from audit.log import keys, merkle
from audit.log.proving import Prover
from audit.log.unsealed import history_models
from audit.log.verification.pages import pages
from audit.models import Leaf

FORMAT = "countersign-export"
VERSION = 1
_PAGE = 1000


@dataclass(frozen=True, kw_only=True)
class Period:
    """From an instant until before another."""

    start: datetime
    end: datetime

    @property
    def condition(self) -> Q:
        """Return which history rows fall into it."""
        return Q(history_date__gte=self.start, history_date__lt=self.end)


def export(period: Period, advance: Callable[[int], None]) -> Iterator[str]:
    """Yield the lines: what it is, each row in the order of the leaves, how many they are.

    The same record gives the same lines: the checkpoint is the oldest good one over all of them.

    Raises:
        EvidenceError: nothing was written then, a row is not sealed, or not what was sealed.
        KeyFileError: the file of trusted keys cannot be read.
    """
    first, last = _leaves_of(period)
    head = first_head_over(last + 1)
    yield _line(_heading(period, head))
    count = 0
    prover = Prover(size=head.size, root=head.root)
    for page in pages(Leaf.objects.filter(number__gte=first, number__lte=last), size=_PAGE):
        rows = _rows_of(page, period)
        for leaf in page:
            row = rows.get((leaf.table, leaf.row))
            if row is not None:
                yield _line(_proven(leaf, row, prover))
                count += 1
        advance(len(page))
    yield _line({"rows": count})


def count_steps(period: Period) -> int:
    """Return how many steps ``export`` will tell of; raises as it does."""
    first, last = _leaves_of(period)
    return last + 1 - first


def _leaves_of(period: Period) -> tuple[int, int]:
    """Return the first and the last leaf of a period; those between may be of another time."""
    numbers: list[int] = []
    for model in history_models():
        table, rows = model._meta.db_table, model._default_manager.filter(period.condition)
        sealed = Leaf.objects.filter(table=table, row=OuterRef("pk"))
        waiting = rows.filter(~Exists(sealed)).count()
        if waiting:
            raise EvidenceError(
                f"{waiting} rows of {table} are not sealed yet. The sealer takes about a second: "
                "try again in a moment. If that does not help, an alarm says why."
            )
        ends = Leaf.objects.filter(table=table, row__in=rows.values("pk")).aggregate(
            first=Min("number"), last=Max("number")
        )
        numbers += [number for number in ends.values() if number is not None]
    if not numbers:
        raise EvidenceError("Nothing was recorded in this period.")
    return min(numbers), max(numbers)


def _rows_of(page: list[Leaf], period: Period) -> dict[tuple[str, int], Any]:
    wanted: dict[str, list[int]] = {}
    for leaf in page:
        wanted.setdefault(leaf.table, []).append(leaf.row)
    found = {}
    for model in history_models():
        table = model._meta.db_table
        rows = model._default_manager.filter(period.condition, pk__in=wanted.get(table, []))
        for row in rows.values_list("pk", "canonical", "salt", named=True):
            found[table, row.pk] = row
    return found


def _heading(period: Period, head: SignedHead) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "from": stamp(period.start),
        "until": stamp(period.end),
        "checkpoint": head.note,
        "keys": [key.text for key in keys.note_keys()],
    }


def _proven(leaf: Leaf, row: Any, prover: Prover) -> dict[str, Any]:
    """Return the line of a row; one without its bytes has the entry that stands for them."""
    entry = bytes.fromhex(leaf.entry)
    said: dict[str, Any] = {"leaf": leaf.number, "table": leaf.table, "row": leaf.row}
    if row.canonical is None or row.salt is None:
        said["entry"] = leaf.entry
    else:
        said |= {"bytes": row.canonical, "salt": row.salt}
        entry = merkle.entry_of(bytes.fromhex(row.salt), row.canonical.encode())
    try:
        proof = prover.prove(leaf.number, entry)
    except LogError as error:
        raise EvidenceError(
            f"Row {leaf.row} of {leaf.table} is not what was sealed; `manage.py verify_record` "
            f"says more. {error}"
        ) from error
    return said | {"proof": [base64.b64encode(one).decode() for one in proof]}


def _line(said: Mapping[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"
