"""What erasures say, out of their own genuine history rows: a row of them alone proves nothing."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from audit import canonical, history
from audit.erasure import declared
from audit.erasure.fields import is_erased
from audit.log.verification.pages import Unreadable, pages
from audit.models import Erasure


@dataclass(frozen=True, kw_only=True)
class ToldErasure:
    """One erasure: who, when (RFC 3339), why, and of which rows.

    ``rows`` has, by table and key, the digest of what was left of a history row; ``others`` has
    the keys of the other rows by table.
    """

    id: str
    subject: str
    by: str
    at: str
    reason: str
    rows: Mapping[str, Mapping[str, str]]
    others: Mapping[str, list[str]]

    @property
    def sentence(self) -> str:
        """Return who erased it, when and why."""
        return f"Erased by {self.by} on {self.at}: {self.reason}"


def erasures_of(subjects: Iterable[str]) -> dict[str, list[ToldErasure]]:
    """Return the genuine erasures about each subject, oldest first."""
    found: dict[str, list[ToldErasure]] = {}
    for row in (row for page in pages(_rows_about(subjects)) for row in page):
        told = None if isinstance(row, Unreadable) else _told(row)
        if told is not None:
            found.setdefault(told.subject, []).append(told)
    return found


def _rows_about(subjects: Iterable[str]) -> Any:
    return Erasure.history.filter(subject__in=set(subjects))


def of_row(row: Any, erasures: Mapping[str, list[ToldErasure]]) -> tuple[ToldErasure, str] | None:
    """Return the erasure that took a history row's bytes, and the digest of what it left."""
    for told in erasures.get(row.subject, []):
        digest = told.rows.get(row._meta.db_table, {}).get(str(row.pk))
        if digest is not None:
            return told, digest
    return None


def lost_tokens(rows: Iterable[Any], subject_of: Callable[[Any], str]) -> dict[Any, bool]:
    """Return the keys of the rows whose token is gone, and whether a genuine erasure took it."""
    gone = [row for row in rows if is_erased(row.token)]
    erasures = erasures_of(map(subject_of, gone))
    return {row.pk: _covers(row, erasures.get(subject_of(row), [])) for row in gone}


def _covers(row: Any, erasures: Iterable[ToldErasure]) -> bool:
    """Tell whether one of these erasures took the data of a row that is no history row."""
    return any(str(row.pk) in told.others.get(row._meta.db_table, []) for told in erasures)


def digest_of_rest(row: Any) -> str:
    """Return the digest of what an erasure leaves of a history row; the same before and after."""
    declaration = declared.of_history(type(row))
    erased = () if declaration is None else declaration.erased
    form = history.canonical_form(row, extra={})
    del form["reason"]
    form["fields"] = {name: value for name, value in form["fields"].items() if name not in erased}
    return canonical.digest_of(form)


def _told(row: Any) -> ToldErasure | None:
    texts = (row.canonical, row.salt, row.hmac)
    if not all(isinstance(text, str) for text in texts) or not history.is_authentic(*texts):
        return None
    said = json.loads(row.canonical)
    if (said["table"], said["subject"], said["number"]) != (
        row._meta.db_table,
        row.subject,
        row.number,
    ):
        return None
    fields = said["fields"]
    return ToldErasure(
        id=fields["id"],
        subject=said["subject"],
        by=said["actor"],
        at=said["at"],
        reason=said["reason"],
        rows=fields["rows"],
        others=fields["others"],
    )
