"""What the floors tell about a subject, as data; each line says where it is proven.

``source`` of a line is one of these, and the verifier holds the line to it:

- ``row 7: fields/reason``: the value stands in the sealed row with this number of the subject;
- ``token: payload/amount``: in the claims of the signed decision;
- ``checkpoint: size``: in the signed checkpoint;
- ``digest in row 7: reason``, ``digest in token: payload_sha256``: the SHA-256 (hex) of the value
  stands there;
- ``part of row 7: reason``: the value is a part of the text that stands there;
- empty: the installation says so, and nothing here proves it.

A path goes on into a text that is itself JSON. ``/`` and ``~`` in a name are written as RFC 6901
does.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit.canonical import canonical_text
from audit.evidence.sealed import SaidRow, SealedRecord


@dataclass(frozen=True, kw_only=True)
class Line:
    """One statement: what it is about, the value as text, and where it is proven."""

    label: str
    value: str
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    """Lines under one title; the note says whose words they are."""

    title: str
    note: str = ""
    lines: Sequence[Line] = ()


@dataclass(frozen=True, kw_only=True)
class Told:
    """What one floor tells about a subject. ``token`` is the decision about it, if there is one."""

    sections: Sequence[Section] = ()
    token: str = ""


Tell = Callable[[SealedRecord], Told]

_tellers: dict[int, Tell] = {}


def register(tell: Tell, *, place: int) -> None:
    """Let a floor tell what it knows about a subject; a lower place stands first on the page."""
    _tellers[place] = tell


def tell_all(record: SealedRecord) -> list[Told]:
    """Return what every floor tells about a subject, in the order of the page."""
    return [_tellers[place](record) for place in sorted(_tellers)]


def of_row(label: str, row: SaidRow, *path: str) -> Line:
    """Return a line that a row proves, once it is sealed."""
    return _line(label, row.said, path, f"row {row.number}")


def of_claims(label: str, claims: Mapping[str, Any], *path: str) -> Line:
    """Return a line that is proven by the signed decision."""
    return _line(label, claims, path, "token")


def fields_of(row: SaidRow, *names: str) -> list[Line]:
    """Return a line for each of these columns of a row, named as a person reads it."""
    return [of_row(name.replace("_", " ").capitalize(), row, "fields", name) for name in names]


def each_of_row(row: SaidRow, *path: str) -> list[Line]:
    """Return a line for every member of an object in a row."""
    return [of_row(name, row, *path, name) for name in _opened(_at(row.said, path))]


def each_of_claims(claims: Mapping[str, Any], *path: str) -> list[Line]:
    """Return a line for every member of an object in the claims of the signed decision."""
    return [of_claims(name, claims, *path, name) for name in _opened(_at(claims, path))]


def as_text(value: Any) -> str:
    """Return a JSON value as a line shows it: text as it is, anything else in canonical form."""
    return value if isinstance(value, str) else canonical_text(value)


def _line(label: str, where: Any, path: Sequence[str], name: str) -> Line:
    escaped = "/".join(part.replace("~", "~0").replace("/", "~1") for part in path)
    return Line(label=label, value=as_text(_at(where, path)), source=f"{name}: {escaped}")


def _at(where: Any, path: Sequence[str]) -> Any:
    for part in path:
        where = _opened(where)[part]
    return where


def _opened(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
