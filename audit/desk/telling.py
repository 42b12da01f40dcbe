"""What the floors above tell the auditor's desk; they register it, for this floor knows none.

A floor says what a history row of its own is about in words, what it keeps about a subject outside
the sealed record, and which other subjects belong to the story.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.admin.changes import Change
from audit.errors import AuditError
from audit.evidence.sealed import SaidRow
from audit.evidence.sections import Section


@dataclass(frozen=True, kw_only=True)
class Telling:
    """What a row is about: a few words after the event's own, and what can be unfolded."""

    words: str = ""
    sections: Sequence[Section] = ()


@dataclass(frozen=True, kw_only=True)
class Note:
    """Something that is kept as it happened, but is no row of the sealed record."""

    at: datetime
    #: ``kind:name``, as history rows have it.
    actor: str
    words: str
    said: str = ""
    changes: Sequence[Change] = ()


Tell = Callable[[SaidRow], Telling]
Notes = Callable[[str], Iterable[Note]]
Related = Callable[[str], Iterable[str]]

_tells: dict[str, Tell] = {}
_notes: list[Notes] = []
_related: list[Related] = []


def register(
    *, tells: dict[Any, Tell], notes: Notes | None = None, related: Related | None = None
) -> None:
    """Add what one floor tells: by tracked model, by subject, and which other subjects belong."""
    _tells.update({str(model.history.model._meta.db_table): tell for model, tell in tells.items()})
    if notes is not None:
        _notes.append(notes)
    if related is not None:
        _related.append(related)


def tell(table: str, row: SaidRow) -> Telling:
    """Return what a row is about; nothing when its bytes are not what that floor writes."""
    try:
        return _tells[table](row)
    except (AuditError, KeyError, TypeError, ValueError, AttributeError, IndexError):
        return Telling()  # Somebody changed the row: the page shows it all the same.


def notes_about(subject: str) -> Iterator[Note]:
    """Yield what the floors keep about a subject outside the sealed record."""
    for notes in _notes:
        yield from notes(subject)


def related_to(subject: str) -> list[str]:
    """Return the other subjects that belong to the story of this one."""
    return [other for related in _related for other in related(subject)]
