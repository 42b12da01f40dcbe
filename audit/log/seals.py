"""Where rows of the record stand in the sealed log."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from audit.models import Checkpoint, Leaf

#: A row of the record by its table and its number there.
Place = tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class Seal:
    """The leaf of a row; ``size`` is of the first checkpoint that covers it, ``entry`` its digest.

    ``size`` is None when no checkpoint covers the leaf, which the sealer never leaves so.
    """

    leaf: int
    size: int | None
    entry: str


def place_of(row: Any) -> Place:
    """Return where a row of the record is kept."""
    return row._meta.db_table, row.pk


def leaves_of(rows: Iterable[Any]) -> dict[Place, int]:
    """Return the number of each row's leaf; a row that is not sealed yet has none."""
    return {(leaf.table, leaf.row): leaf.number for leaf in _leaves(rows, Leaf.objects.all())}


def seals_of(rows: Iterable[Any]) -> dict[Place, Seal]:
    """Return the seal of each row; a row that is not sealed yet has none."""
    covering = Checkpoint.objects.filter(size__gt=OuterRef("number")).order_by("size")
    leaves = Leaf.objects.annotate(covered=Subquery(covering.values("size")[:1]))
    return {
        (leaf.table, leaf.row): Seal(leaf=leaf.number, size=leaf.covered, entry=leaf.entry)
        for leaf in _leaves(rows, leaves)
    }


def _leaves(rows: Iterable[Any], leaves: "QuerySet[Any]") -> Iterator[Any]:
    places = {place_of(row) for row in rows}
    for table in sorted({table for table, _ in places}):
        yield from leaves.filter(
            table=table, row__in=[pk for named, pk in places if named == table]
        )
