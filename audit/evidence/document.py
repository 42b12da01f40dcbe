"""The evidence about a subject as one JSON document; the page shows this and nothing else."""

import base64
from dataclasses import asdict
from typing import Any

from audit import words
from audit.evidence.sealed import SealedRecord, SealedRow
from audit.evidence.sections import Line, Section, Told

#: Version of the document and of the file around it; append-only.
VERSION = 1

_NOTES = (
    "Each line says where it is proven: in a row of the sealed record, in the signed decision, or "
    "in the signed checkpoint of the log. A line without such a place is what this installation "
    "says, and nothing in this file proves it.",
    "Check this file before you believe it: python verifier.py FILE --key THUMBPRINT. The "
    "verifier in this file is a convenience. Trust comes from a verifier and from fingerprints of "
    "keys that you obtained elsewhere: whoever can make a false file can put a false verifier "
    "into it.",
)
_COLUMNS = ("Row", "When", "Who", "What", "Event", "Why", "Leaf")


def build(record: SealedRecord, told: list[Told]) -> dict[str, Any]:
    """Return the document: canonical JSON can be made of it."""
    sections = [section for one in told for section in one.sections]
    return {
        "version": VERSION,
        "issuer": record.head.origin,
        "subject": record.subject,
        "title": f"Evidence about {record.subject}",
        "notes": list(_NOTES),
        "sections": [_as_json(section) for section in [*sections, _seal(record)]],
        "record": {
            "title": "Everything that the record says about it",
            "columns": list(_COLUMNS),
            "rows": [_told_by(row) for row in record.rows],
        },
    }


def _as_json(section: Section) -> dict[str, Any]:
    return asdict(section) | {"lines": [asdict(line) for line in section.lines]}


def _told_by(row: SealedRow) -> dict[str, Any]:
    said = row.said
    return {
        "number": row.number,
        "at": said["at"],
        "actor": said["actor"],
        "words": words.of_event(said["event"]),
        "event": said["event"],
        "reason": said["reason"],
        "leaf": row.leaf,
    }


def _seal(record: SealedRecord) -> Section:
    head = record.head
    values = {
        "origin": head.origin,
        "size": str(head.size),
        "root": base64.b64encode(head.root).decode(),
        "key": head.kid,
    }
    labels = {"origin": "Log", "size": "Leaves", "root": "Root", "key": "Key of the log"}
    return Section(
        title="The seal",
        note="The checkpoint that every row of this file is proven against.",
        lines=[
            Line(label=labels[name], value=value, source=f"checkpoint: {name}")
            for name, value in values.items()
        ],
    )
