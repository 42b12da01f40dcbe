"""Erases personal data of one target, in one transaction: columns, bytes, salts, tokens' texts.

What proves stays: each row's leaf, its HMAC, its number, its actor, event and time, and digests.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, models, transaction

from audit import clock, history
from audit.actors import Actor
from audit.erasure import declared, told
from audit.erasure.declared import Declaration
from audit.errors import AuditError
from audit.guards import lifting
from audit.history import Fact
from audit.log.verification import rows as verified
from audit.log.verification.findings import Tally
from audit.models import Erasure, Leaf, Subject

_FEW = 5
#: How often the tables are asked for while others write into them.
_TRIES = 20


class EventType(models.TextChoices):
    """The one event of this floor."""

    RECORD_ERASE = "record:erase", "erased personal data"


class ErasureError(AuditError):
    """It cannot be erased, or not now; the text says why."""

    code = "erasure"


@dataclass(frozen=True, kw_only=True)
class Part:
    """The rows of one table from which something goes, and the columns that become NULL."""

    declaration: Declaration
    model: Any
    rows: list[Any]

    @property
    def table(self) -> str:
        """Return the name of the table."""
        return str(self.model._meta.db_table)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns."""
        return self.declaration.erased_in(self.model)

    @property
    def is_history(self) -> bool:
        """Tell whether these are rows of the record."""
        return self.model is not self.declaration.model


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an erasure takes. ``subject`` is what the rows are filed under."""

    subject: str
    parts: list[Part]


def plan(target: str) -> Plan:
    """Return what an erasure of this target would take now.

    Raises:
        ErasureError: there is nothing to erase, it is not settled, or the record about it is not
            what was sealed: an erasure must not wash away what somebody changed.
    """
    parts = [part for one in declared.all_declared() for part in _parts(one, target)]
    if not parts:
        raise ErasureError(f"There is nothing to erase about {target!r}, or it was erased already.")
    reasons = [*declared.obstacles(target), *_unproven(parts)]
    if reasons:
        raise ErasureError(f"{target} cannot be erased now. {' '.join(reasons)}")
    return Plan(subject=_subject_of(target, parts), parts=parts)


def erase(target: str, *, actor: Actor, reason: str) -> Erasure:
    """Erase it, and write down who did and why, in one transaction.

    The connection must be that of the owner of the tables: the guards of the record are lifted
    within the transaction, and are in place again before it ends.

    Raises:
        ErasureError: see ``plan``; or the tables cannot be had while others write.
    """
    if not reason.strip():
        raise ErasureError("An erasure needs a reason.")
    for _ in range(_TRIES):
        try:
            return _erase(target, actor=actor, reason=reason)
        except lifting.BusyError:
            continue
    raise ErasureError("Others write into these tables all the time. Try again later.")


@transaction.atomic
def _erase(target: str, *, actor: Actor, reason: str) -> Erasure:
    _lock(plan(target).subject)
    planned = plan(target)
    guarded = sorted({part.table for part in planned.parts if part.is_history})
    digests = _digests(planned)
    with lifting.lifted(connection, guarded):
        for part in planned.parts:
            _empty(part)
    at = clock.now()
    erasure = Erasure(
        subject=planned.subject,
        target=target,
        reason=reason,
        erased_by=str(actor),
        erased_at=at,
        rows=digests,
        others={
            part.table: sorted(str(row.pk) for row in part.rows)
            for part in planned.parts
            if not part.is_history
        },
    )
    history.record(erasure, Fact(actor=actor, event=EventType.RECORD_ERASE, at=at, reason=reason))
    return erasure


def _parts(declaration: Declaration, target: str) -> Iterator[Part]:
    if declaration.of is None:
        return
    model, log = declaration.model, declaration.history
    rows = list(model._base_manager.filter(declaration.of(target)).order_by("pk"))
    full = [row for row in rows if any(map(_is_full(row), declaration.erased_in(model)))]
    if full:
        yield Part(declaration=declaration, model=model, rows=full)
    if log is None:
        return
    key = model._meta.pk.attname
    of_them = log._default_manager.filter(**{f"{key}__in": [row.pk for row in rows]})
    kept = list(of_them.exclude(canonical=None, salt=None).order_by("pk"))
    if kept:
        yield Part(declaration=declaration, model=log, rows=kept)


def _is_full(row: Any) -> Any:
    return lambda name: getattr(row, name) not in (None, "")


def _unproven(parts: Iterable[Part]) -> Iterator[str]:
    """Say which history rows have no leaf yet, or are not what was sealed."""
    at = clock.now()
    bad = []
    for part in parts:
        if not part.is_history:
            continue
        leaves = Leaf.objects.filter(table=part.table, row__in=[row.pk for row in part.rows])
        entries = dict(leaves.values_list("row", "entry"))
        waiting = len(part.rows) - len(entries)
        if waiting:
            yield (
                f"{waiting} rows of {part.table} are not sealed yet; the sealer takes about a "
                "second."
            )
        bad += [
            f"{part.table}:{row.pk}"
            for row in part.rows
            if list(verified.check_row(row, entries.get(row.pk), at, Tally(), {}))
        ]
    if bad:
        yield (
            f"The record is not what was sealed: {', '.join(bad[:_FEW])}. "
            "`manage.py verify_record` says more."
        )


def _subject_of(target: str, parts: Iterable[Part]) -> str:
    filed = {row.subject for part in parts if part.is_history for row in part.rows}
    if len(filed) > 1:
        raise ErasureError(f"{target} is filed under several subjects: {', '.join(sorted(filed))}.")
    return filed.pop() if filed else target


def _lock(subject: str) -> None:
    """Let nobody else write about the subject until the transaction ends."""
    if Subject.objects.select_for_update().filter(pk=subject).first() is None:
        raise ErasureError(f"The record tells nothing about {subject!r}.")


def _digests(planned: Plan) -> dict[str, dict[str, str]]:
    return {
        part.table: {str(row.pk): told.digest_of_rest(row) for row in part.rows}
        for part in planned.parts
        if part.is_history
    }


def _empty(part: Part) -> None:
    """Set the columns to NULL; of Django's own columns, which allow none, to the empty text."""
    fields = {name: part.model._meta.get_field(name) for name in part.columns}
    values = {name: None if field.null else "" for name, field in fields.items()}
    rows = part.model._base_manager.filter(pk__in=[row.pk for row in part.rows])
    if rows.update(**values) != len(part.rows):
        raise ErasureError(f"Rows of {part.table} disappeared meanwhile.")
