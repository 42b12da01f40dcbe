"""The story of a subject over all tables in sentences: sealed rows, and what is kept beside."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from audit import timeline, words
from audit.admin import changes
from audit.admin.changes import Change
from audit.desk import telling
from audit.desk.telling import Note
from audit.erasure.told import ToldErasure, erasures_of, of_row
from audit.evidence.sealed import SaidRow
from audit.evidence.sections import Section
from audit.log.seals import Place, Seal, place_of, seals_of
from audit.log.verification.rows import is_gone, said_by
from audit.timeline import Facts

#: How a sentence begins, by the kind of its actor.
_KINDS = {
    "agent": "The agent",
    "person": "The person",
    "provider": "The provider",
    "row": "The row",
    "rule": "The rule",
    "system": "Countersign's own part",
    "worker": "The worker",
}
_FIRST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One sentence of the story, with all that stands behind it.

    ``place`` and ``number`` are of its history row; a moment without is outside the sealed record.
    """

    at: datetime | None
    actor: str
    words: str
    about: str = ""
    reason: str = ""
    said: str = ""
    #: Who erased its content, when and why; empty when it is there.
    erased: str = ""
    subject: str = ""
    number: int | None = None
    place: Place | None = None
    seal: Seal | None = None
    changes: Sequence[Change] = ()
    is_first: bool = False
    sections: Sequence[Section] = ()

    @property
    def who(self) -> str:
        """Return how the sentence begins, by what kind of actor it was."""
        kind, _ = words.of_actor(self.actor)
        return _KINDS.get(kind, f"The {kind}")

    @property
    def name(self) -> str:
        """Return the actor's name."""
        return words.of_actor(self.actor)[1]

    @property
    def key(self) -> str:
        """Return the name of its row on the page; empty when it is none of the sealed record."""
        return "" if self.place is None else f"{self.place[0]}:{self.place[1]}"


def facts_of(subject: str) -> list[Facts]:
    """Return the facts about a subject, and about each other one that belongs to its story."""
    subjects = [subject, *telling.related_to(subject)]
    return [timeline.readable_facts_about(one) for one in subjects]


def tell(subject: str, known: Sequence[Facts]) -> list[Moment]:
    """Return the story, oldest first; ``known`` are the facts of ``facts_of``."""
    moments = [moment for facts in known for moment in _of_rows(subject, facts.rows)]
    moments += map(_of_note, telling.notes_about(subject))
    # Of the same instant, the order in which the record has numbered them.
    ordered = sorted(moments, key=lambda one: (one.at or _FIRST, one.number or 0))
    return ordered + [_unreadable(place) for facts in known for place in facts.unreadable]


def _of_rows(subject: str, rows: Sequence[Any]) -> Iterator[Moment]:
    """Tell rows by their bytes, which are what is sealed; by the columns where those are gone."""
    seals = seals_of(rows)
    erasures = erasures_of(row.subject for row in rows if is_gone(row))
    before: dict[tuple[str, Any], Mapping[str, Any]] = {}
    for row in rows:
        if is_gone(row):
            yield _gone(subject, row, seals.get(place_of(row)), erasures)
            continue
        said = said_by(row) or {"fields": {}}
        fields, place = said["fields"], place_of(row)
        item = (place[0], getattr(row, row.instance_type._meta.pk.attname))
        told = telling.tell(place[0], SaidRow(number=row.number, said=said))
        yield Moment(
            at=row.history_date,
            actor=str(said.get("actor", row.actor)),
            words=words.of_event(str(said.get("event", row.event))),
            about=told.words,
            reason=str(said.get("reason", row.history_change_reason) or ""),
            subject="" if row.subject == subject else row.subject,
            number=row.number,
            place=place,
            seal=seals.get(place),
            changes=list(changes.differences(before.get(item, {}), fields)),
            is_first=item not in before,
            sections=told.sections,
        )
        before[item] = fields


def _gone(
    subject: str, row: Any, seal: Seal | None, erasures: Mapping[str, list[ToldErasure]]
) -> Moment:
    """Tell of a row without its bytes what was left in its columns, and who took the rest."""
    found = of_row(row, erasures)
    return Moment(
        at=row.history_date,
        actor=str(row.actor),
        words=words.of_event(str(row.event)),
        erased="Its content is gone, and no erasure says so."
        if found is None
        else found[0].sentence,
        subject="" if row.subject == subject else row.subject,
        number=row.number,
        place=place_of(row),
        seal=seal,
    )


def _of_note(note: Note) -> Moment:
    return Moment(
        at=note.at,
        actor=note.actor,
        words=note.words,
        said=note.said,
        changes=note.changes,
        is_first=all(change.was is None for change in note.changes),
    )


def _unreadable(place: Place) -> Moment:
    return Moment(
        at=None,
        actor="row:unreadable",
        words=f"{place[1]} of {place[0]} holds a value that cannot be read",
        place=place,
    )
