"""Reads tables of any size in pages, each a query of its own.

No transaction stays open over a whole verification: a long one would keep PostgreSQL from
cleaning up, and SQLite from shortening its log.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db import DataError
from django.db.models import QuerySet

PAGE = 500
#: What a value raises that no column of ours could hold (SQLite takes anything).
UNREADABLE = (ValueError, TypeError, OverflowError, DataError)


class Unreadable(NamedTuple):
    """Stands for a row with a value that is not of its column's type."""

    pk: Any


def pages(rows: QuerySet[Any], key: str = "pk", size: int | None = None) -> Iterator[list[Any]]:
    """Yield all rows in the order of a unique key, page by page."""
    size = PAGE if size is None else size
    page = _read(rows.order_by(key)[:size])
    while page:
        yield page
        if len(page) < size:
            return
        after = getattr(page[-1], key)
        page = _read(rows.filter(**{f"{key}__gt": after}).order_by(key)[:size])


def _read(rows: QuerySet[Any]) -> list[Any]:
    try:
        return list(rows)
    except UNREADABLE:
        keys = list(rows.values_list("pk", flat=True))
        return [_read_one(rows.model, key) for key in keys]


def _read_one(model: Any, key: Any) -> Any:
    try:
        return model._default_manager.get(pk=key)
    except UNREADABLE:
        return Unreadable(key)
