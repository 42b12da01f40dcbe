"""Each current row of a tracked model against its newest history row, and the other way round."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Exists, Max, OuterRef

from audit import canonical, history
from audit.errors import CanonicalError
from audit.log.verification.findings import Finding, Tally
from audit.log.verification.pages import Unreadable, pages

_DELETED = "-"
#: How often a row is looked at that somebody is changing just then.
_LOOKS = 5


def check_current(model: Any, tally: Tally) -> Iterator[Finding]:
    """Check the rows that a history table is about."""
    tracked = model.instance_type
    for page in pages(tracked._base_manager.all()):
        newest = _newest_of(model, [row.pk for row in page])
        for row in page:
            # What differs may have been changed between the two queries: then it is read again.
            if _difference(row, newest.get(row.pk)) is not None:
                yield from check_one(model, row.pk)
        tally.current += len(page)
        tally.advance(len(page))
    yield from _find_deleted(model)


def _newest_of(model: Any, keys: Sequence[Any]) -> dict[Any, Any]:
    key = model.instance_type._meta.pk.attname
    rows = model._default_manager.filter(**{f"{key}__in": keys}).order_by()
    last = [pk for _, pk in rows.values_list(key).annotate(Max("pk"))]
    found: dict[Any, Any] = {}
    for page in pages(model._default_manager.filter(pk__in=last)):
        found |= {getattr(row, key): row for row in page if not isinstance(row, Unreadable)}
    return found


def check_one(model: Any, key: Any) -> Iterator[Finding]:
    """Check one row that a history table is about.

    It is read between two readings of its history, which then was still while it was read.
    """
    tracked = model.instance_type
    before = _newest_of(model, [key]).get(key)
    for _ in range(_LOOKS):
        rows = [row for page in pages(tracked._base_manager.filter(pk=key)) for row in page]
        different = _difference(rows[0], before) if rows else None
        after = _newest_of(model, [key]).get(key)
        if (before and before.pk) == (after and after.pk):
            if different is not None:
                yield _finding(tracked, key, different)
            return
        before = after


def _difference(row: Any, newest: Any) -> str | None:
    """Return what is wrong with a row, as a sentence; None when it is as its history says."""
    if isinstance(row, Unreadable):
        return "A column holds what it cannot hold."
    if newest is None:
        return "It has no history."
    if newest.history_type == _DELETED:
        return "Its history says that it was deleted."
    now = history.tracked_values(row, newest.tracked_fields)
    if newest.canonical is not None:
        # After an erasure nothing says any more what belonged to it beside its columns.
        now |= history.extra_fields(newest)
    then = history.tracked_values(newest, newest.tracked_fields) | _extra_then(newest)
    names = [name for name in now if _bytes(now[name]) != _bytes(then.get(name))]
    if not names:
        return None
    return f"It is not what its newest history row says: {', '.join(names)}."


def _extra_then(newest: Any) -> dict[str, Any]:
    """Return what the bytes have beside the columns; that they are good is checked elsewhere."""
    try:
        fields = json.loads(newest.canonical)["fields"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}
    columns = {field.attname for field in newest.tracked_fields}
    return {name: value for name, value in dict(fields).items() if name not in columns}


def _bytes(value: Any) -> bytes | None:
    """Return one form of a value, in which 1 and true differ; None when there is none."""
    try:
        return canonical.canonical_bytes(value)
    except CanonicalError:
        return None


def _find_deleted(model: Any) -> Iterator[Finding]:
    """Find rows that are gone although their history does not say so."""
    tracked = model.instance_type
    key = tracked._meta.pk.attname
    of_same = model._default_manager.filter(**{key: OuterRef(key)})
    gone = model._default_manager.filter(
        ~Exists(tracked._base_manager.filter(pk=OuterRef(key))),
        ~Exists(of_same.filter(pk__gt=OuterRef("pk"))),
    ).exclude(history_type=_DELETED)
    for page in pages(gone.values_list("pk", key, named=True)):
        for row in page:
            yield _finding(
                tracked, getattr(row, key), "It is gone, and its history does not say so."
            )


def _finding(model: Any, key: Any, sentence: str) -> Finding:
    return Finding(kind="current", table=model._meta.db_table, row=str(key), sentence=sentence)
