"""Each history row against its own bytes, its HMAC and its leaf; each leaf against its row."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef

from audit import canonical, history
from audit.erasure import declared, told
from audit.erasure.declared import HISTORY_ERASED
from audit.erasure.told import ToldErasure
from audit.errors import CanonicalError
from audit.log import merkle
from audit.log.unsealed import history_models
from audit.log.verification.findings import Finding, Tally
from audit.log.verification.pages import Unreadable, pages
from audit.models import Leaf

#: How long a row may be without a leaf: the sealer looks every second, and everywhere every minute.
PATIENCE = timedelta(minutes=1)


def check_rows(model: Any, at: datetime, tally: Tally) -> Iterator[Finding]:
    """Check all rows of a history table, as of ``at``."""
    table = model._meta.db_table
    for page in pages(model._default_manager.all()):
        leaves = Leaf.objects.filter(table=table, row__in=[row.pk for row in page])
        entries = dict(leaves.values_list("row", "entry"))
        erasures = told.erasures_of(row.subject for row in page if is_gone(row))
        for row in page:
            for kind, sentence in check_row(row, entries.get(row.pk), at, tally, erasures):
                yield Finding(kind=kind, table=table, row=str(row.pk), sentence=sentence)
        tally.rows += len(page)
        tally.advance(len(page))


def find_lost_rows() -> Iterator[Finding]:
    """Find the leaves of rows that are not there, and of tables that have no history."""
    models = {model._meta.db_table: model for model in history_models()}
    for table, model in models.items():
        row = model._default_manager.filter(pk=OuterRef("row"))
        # One query sees both at one instant, so that a row which is just written is not lost.
        lost = Leaf.objects.filter(~Exists(row), table=table)
        for page in pages(lost, key="row"):
            for leaf in page:
                yield _lost(leaf, "is not in its table any more")
    for page in pages(Leaf.objects.exclude(table__in=models)):
        for leaf in page:
            yield _lost(leaf, "is of a table that has no history")


def _lost(leaf: Leaf, what: str) -> Finding:
    sentence = f"The row of leaf {leaf.number} {what}."
    return Finding(kind="missing", table=leaf.table, row=str(leaf.row), sentence=sentence)


def check_row(
    row: Any,
    entry: str | None,
    at: datetime,
    tally: Tally,
    erasures: Mapping[str, list[ToldErasure]],
) -> Iterator[tuple[str, str]]:
    """Yield kind and sentence of what is wrong with a row and its leaf, as of ``at``.

    ``erasures`` are the genuine ones about its subject, for a row that has no bytes any more.
    """
    if is_gone(row):
        yield from _problems_of_gone(row, entry, erasures, tally)
    else:
        yield from _problems(row, entry, at, tally)


def is_gone(row: Any) -> bool:
    """Tell whether somebody took a row's bytes and salt away: an erasure, or somebody else."""
    return not isinstance(row, Unreadable) and row.canonical is None and row.salt is None


def _problems_of_gone(
    row: Any, entry: str | None, erasures: Mapping[str, list[ToldErasure]], tally: Tally
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a row that has no bytes any more: nothing, after an erasure.

    Its leaf is all that proves it then; nothing is erased before it has one.
    """
    found = told.of_row(row, erasures)
    if found is None:
        yield "bytes", "Its bytes and its salt are gone, and no erasure says so."
        return
    erasure, digest = found
    tally.tell_erased(erasure.id, erasure.sentence)
    if entry is None:
        yield "unsealed", "It was erased, and has no leaf."
    filled = [name for name in _erased_columns(row) if getattr(row, name) not in (None, "")]
    if filled:
        yield "columns", f"It was erased, and is not empty: {', '.join(filled)}."
    elif not isinstance(row.hmac, str) or digest != _digest_of_rest(row):
        yield "columns", "Its columns are not what was left when it was erased."


def _erased_columns(row: Any) -> tuple[str, ...]:
    declaration = declared.of_history(type(row))
    return HISTORY_ERASED if declaration is None else declaration.erased_in(type(row))


def _digest_of_rest(row: Any) -> str | None:
    try:
        return told.digest_of_rest(row)
    except (CanonicalError, AttributeError):
        return None


def _problems(row: Any, entry: str | None, at: datetime, tally: Tally) -> Iterator[tuple[str, str]]:
    """Yield kind and sentence of what is wrong with a row that has its bytes."""
    if isinstance(row, Unreadable) or row.history_date is None:
        yield "columns", "A column holds what it cannot hold."
        return
    if entry is None and at - row.history_date > PATIENCE:
        yield "unsealed", "It has no leaf, and is older than a minute."
    elif entry is None:
        tally.waiting += 1
    # NULL, or what SQLite takes for a text.
    if not all(isinstance(text, str) for text in (row.canonical, row.salt, row.hmac)):
        yield "bytes", "Its bytes, its salt or its HMAC are not there."
        return
    if not history.is_authentic(row.canonical, row.salt, row.hmac):
        yield "hmac", "Its HMAC is not that of its bytes."
    if entry is not None and entry != _entry_of(row):
        yield "leaf", "Its bytes are not those that were sealed."
    different = _differences(row)
    if different:
        yield "columns", f"Its columns and its bytes differ: {', '.join(different)}."


def _entry_of(row: Any) -> str | None:
    try:
        salt = bytes.fromhex(row.salt)
    except ValueError:
        return None
    return merkle.entry_of(salt, row.canonical.encode()).hex()


def _differences(row: Any) -> list[str]:
    """Return which parts of the bytes the columns do not give again."""
    said = said_by(row)
    if said is None:
        return ["the bytes are no history row's"]
    try:
        form = history.canonical_form(row, extra=_extra(row, said["fields"]))
        if canonical.canonical_text(form) == row.canonical:
            return []
    except CanonicalError:
        return ["a column has no canonical form"]
    form |= form.pop("fields")
    said |= said.pop("fields")
    names = [name for name, value in form.items() if _text(value) != _text(said.get(name))]
    return names or ["the form"]


def said_by(row: Any) -> dict[str, Any] | None:
    """Return what the bytes of a row say; None when they are not those of a row."""
    try:
        said = json.loads(row.canonical)
    except (ValueError, TypeError, RecursionError):
        return None
    whole = isinstance(said, dict) and isinstance(said.get("fields"), dict)
    return said if whole else None


def _extra(row: Any, fields: dict[str, Any]) -> dict[str, Any]:
    """Return what the bytes have beside the columns, for models that add something."""
    if not hasattr(row.instance_type, "history_extra"):
        return {}
    columns = {field.attname for field in row.tracked_fields}
    return {name: value for name, value in fields.items() if name not in columns}


def _text(value: Any) -> str:
    """Return JSON text, in which 1 and true differ."""
    return json.dumps(value, sort_keys=True)
