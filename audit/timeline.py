"""The story of one subject: every fact about it, over all history tables, in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.apps import apps

from audit.history import HistoryRow
from audit.log.seals import Place
from audit.log.verification.pages import Unreadable, pages
from audit.models import Subject


@dataclass(frozen=True, kw_only=True)
class Facts:
    """History rows, oldest first, and where those are that hold what no column of theirs can.

    ``told`` is how many facts the subject's counter had told before the rows were read: so many
    must be there, and what was written meanwhile may be.
    """

    subject: str
    told: int
    rows: Sequence[Any]
    unreadable: Sequence[Place] = ()


def facts_about(subject: str) -> list[Any]:
    """Return the history rows of a subject from all tables, oldest first.

    Each has an actor, an event and a number; the bytes of one may be gone (``audit.erasure``).
    """
    rows = [row for model in tables() for row in model.objects.filter(subject=subject)]
    return sorted(rows, key=lambda row: row.number)


def readable_facts_about(subject: str) -> Facts:
    """Return the same, whatever somebody has written into a row: no value stops it."""
    counter = Subject.objects.filter(pk=subject).first()
    rows: list[Any] = []
    unreadable: list[Place] = []
    for model in tables():
        for page in pages(model.objects.filter(subject=subject)):
            rows += filter(_is_readable, page)
            lost = [row.pk for row in page if not _is_readable(row)]
            unreadable += [(model._meta.db_table, pk) for pk in lost]
    return Facts(
        subject=subject,
        told=0 if counter is None else counter.last_number,
        rows=sorted(rows, key=lambda row: row.number),
        unreadable=unreadable,
    )


def _is_readable(row: Any) -> bool:
    """Tell whether a row can be put into the order of the others; SQLite takes any value."""
    if isinstance(row, Unreadable):
        return False
    return isinstance(row.number, int) and row.history_date is not None


@cache
def tables() -> list[Any]:
    """Return the models of all history tables, of whatever floor they are."""
    return [model for model in apps.get_models() if issubclass(model, HistoryRow)]
