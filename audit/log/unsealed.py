"""Finds the rows of the record that have no leaf yet."""

from datetime import datetime
from typing import Any, NamedTuple

from django.apps import apps
from django.db.models import Exists, Max, OuterRef, QuerySet

from audit.history import HistoryRow
from audit.models import Leaf

#: How far behind the newest sealed row of its table a row may be committed and still be found at
#: once. Numbers are given out before the commit, so that some rows appear late.
SLACK = 1000
_COLUMNS = ("pk", "subject", "number", "history_date", "canonical", "salt", "hmac")


class Row(NamedTuple):
    """What the sealer looks at of a history row."""

    table: str
    pk: int
    subject: str
    number: int
    at: datetime
    canonical: str | None
    salt: str | None
    hmac: str


def history_models() -> list[Any]:
    """Return the models of all history tables, of whatever floor they are."""
    found = [model for model in apps.get_models() if issubclass(model, HistoryRow)]
    return sorted(found, key=lambda model: model._meta.db_table)


class Search:
    """One walk over all history tables: each row without a leaf is found once.

    A row that is not sealed when it is found is not found again by the same search, so that it
    keeps no other from its turn.
    """

    def __init__(self, *, thorough: bool) -> None:
        self._after = {
            model: 0 if thorough else _last_sealed(model) - SLACK for model in history_models()
        }

    def is_over(self) -> bool:
        """Tell whether nothing is left; takes no lock."""
        return not any(_without_leaf(*place).exists() for place in self._after.items())

    def next(self, limit: int) -> list[Row]:
        """Return up to ``limit`` rows, the oldest first as far as they were found together."""
        found: list[Row] = []
        for model, after in self._after.items():
            wanted = _without_leaf(model, after).order_by("pk").values_list(*_COLUMNS)
            rows = [Row(model._meta.db_table, *row) for row in wanted[: limit - len(found)]]
            if rows:
                self._after[model] = rows[-1].pk
                found += rows
        return sorted(found, key=lambda row: (row.at, row.table, row.pk))


def _without_leaf(model: Any, after: int) -> QuerySet[Any]:
    leaf = Leaf.objects.filter(table=model._meta.db_table, row=OuterRef("pk"))
    rows: QuerySet[Any] = model._default_manager.filter(~Exists(leaf), pk__gt=after)
    return rows


def _last_sealed(model: Any) -> int:
    last = Leaf.objects.filter(table=model._meta.db_table).aggregate(last=Max("row"))["last"]
    return 0 if last is None else last
