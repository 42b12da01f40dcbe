"""What changed between two versions of a row: field by field, inside JSON path by path, whole."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from audit import visible, words

#: Fields whose value is nobody's business; that they changed is.
SECRET = frozenset({"password", "secret_hash"})
_MASK = "not shown"


class _Absent:
    """Stands for a value that is not there, which is not the same as null."""


ABSENT = _Absent()


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference: where, and the value before and after (``ABSENT`` when there was none)."""

    path: tuple[str, ...]
    before: Any
    after: Any

    @property
    def where(self) -> SafeString:
        """Return the path as HTML."""
        return visible.show(" › ".join(self.path))

    @property
    def was(self) -> SafeString | None:
        """Return the value before as HTML; None when there was none."""
        return _shown(self.before)

    @property
    def now(self) -> SafeString | None:
        """Return the value after as HTML; None when it was taken away."""
        return _shown(self.after)


@dataclass(frozen=True, kw_only=True)
class Version:
    """One history row as a person reads it."""

    row: Any
    changes: Sequence[Change]
    is_first: bool

    @property
    def actor_kind(self) -> str:
        """Return what kind of actor it was: person, agent, worker or system."""
        return words.of_actor(self.row.actor)[0]

    @property
    def actor_name(self) -> str:
        """Return the actor's name."""
        return words.of_actor(self.row.actor)[1]

    @property
    def event(self) -> str:
        """Return what happened, in words."""
        return words.of_event(self.row.event)

    @property
    def reason(self) -> str:
        """Return why, as it was given; empty when nobody said."""
        return self.row.history_change_reason or ""


Added = Callable[[Any], dict[str, Any]]


def versions(rows: Sequence[Any], older: Any | None, added: Added) -> list[Version]:
    """Return rows (newest first) with what each changed; ``older`` precedes the last of them.

    ``added`` returns what belongs to a row but is kept elsewhere, such as its payload.
    """
    contents = [_content(row, added) for row in [*rows, older]]
    return [
        Version(row=row, changes=list(differences(before, after)), is_first=not before)
        for row, after, before in zip(rows, contents, contents[1:], strict=False)
    ]


def fields_of(row: Any, added: Added) -> list[Change]:
    """Return every field of one version, as changes from nothing."""
    return [_change((name,), ABSENT, value) for name, value in _content(row, added).items()]


def differences(before: Any, after: Any, path: tuple[str, ...] = ()) -> Iterator[Change]:
    """Yield what differs between two JSON values, at the deepest path that differs."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _inside(before, after, path)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _inside(_numbered(before), _numbered(after), path)
    elif before != after or type(before) is not type(after):  # 1 and true are equal in Python
        yield _change(path, before, after)


def _inside(
    before: Mapping[str, Any], after: Mapping[str, Any], path: tuple[str, ...]
) -> Iterator[Change]:
    for key in [*before, *(key for key in after if key not in before)]:
        old, new = before.get(key, ABSENT), after.get(key, ABSENT)
        if ABSENT in (old, new):
            yield _change((*path, key), old, new)
        else:
            yield from differences(old, new, (*path, key))


def _change(path: tuple[str, ...], before: Any, after: Any) -> Change:
    if path and path[0] in SECRET:
        before, after = (value if value is ABSENT else _MASK for value in (before, after))
    return Change(path=path, before=before, after=after)


def _numbered(items: list[Any]) -> dict[str, Any]:
    return {str(number): item for number, item in enumerate(items, start=1)}


def _content(row: Any | None, added: Added) -> dict[str, Any]:
    return {} if row is None else {**_fields(row), **added(row)}


def _fields(row: Any) -> dict[str, Any]:
    """Return the fields of a history row out of its canonical bytes: what can be proved."""
    if row.canonical is None:
        return {"(erased)": "The content of this version was erased."}
    fields: dict[str, Any] = json.loads(row.canonical)["fields"]
    return fields


def _shown(value: Any) -> SafeString | None:
    if value is ABSENT:
        return None
    if value is None:
        return visible.show("(none)")
    if isinstance(value, str):
        return visible.show_block(value) if value else visible.show("(empty)")
    return visible.show_json(value)
