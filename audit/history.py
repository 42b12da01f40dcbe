"""The base of every history table, and the only ways to write one.

A history row says what a row was after a change, who changed it, which event that was and why. It
keeps its own canonical bytes, so that the record can be sealed and checked later without trusting
the columns. It is written in the transaction of the change, once.
"""

import functools
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction
from simple_history.models import HistoricalRecords
from simple_history.signals import pre_create_historical_record

from audit import canonical
from audit.actors import Actor
from audit.errors import ConflictError, UnattributedChangeError
from audit.statements import insert

#: Version of the canonical form below; append-only.
FORM = 1

SALT_BYTES = 32


class HistoryRow(models.Model):
    """The columns that every history table has beside the copy of the tracked row."""

    actor = models.CharField(max_length=200, db_index=True)
    event = models.CharField(max_length=60)
    subject = models.CharField(max_length=80)
    number = models.BigIntegerField()
    canonical = models.TextField(null=True)
    salt = models.CharField(max_length=2 * SALT_BYTES, null=True)
    hmac = models.CharField(max_length=64)

    class Meta:
        abstract = True


class Records(HistoricalRecords):
    """The library's history, with our columns, constraints and permissions on every table."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            bases=[HistoryRow],
            # History never blocks, and survives, whatever happens to the account.
            user_db_constraint=False,
            history_id_field=models.BigAutoField(primary_key=True),
            history_change_reason_field=models.TextField(null=True),
            **options,
        )

    def _get_history_user_fields(self) -> dict[str, Any]:
        """Leave history alone when a person is deleted; the library would write NULL into it."""
        fields: dict[str, Any] = super()._get_history_user_fields()
        fields["history_user"].remote_field.on_delete = models.DO_NOTHING
        return fields

    def get_meta_options(self, model: type[models.Model]) -> dict[str, Any]:
        """Add what an abstract base cannot pass on to tables that the library makes."""
        name = f"historical{model._meta.model_name}"
        options: dict[str, Any] = super().get_meta_options(model)
        return options | {
            "default_permissions": ("view",),
            "constraints": [
                models.CheckConstraint(
                    condition=~(models.Q(actor="") | models.Q(event="") | models.Q(subject="")),
                    name=f"{name}_says_who_and_what",
                ),
                models.UniqueConstraint(fields=["subject", "number"], name=f"{name}_numbered_once"),
            ],
        }


def track(**options: Any) -> Records:
    """Return the history declaration that every model with a state uses."""
    return Records(**options)


@dataclass(frozen=True, kw_only=True)
class Fact:
    """What a service says about a change: who, which event, when (UTC), and why."""

    actor: Actor
    event: str
    at: datetime
    reason: str = ""


def record(instance: models.Model, fact: Fact) -> None:
    """Insert or save a tracked row and write its history row, in the caller's transaction."""
    _require_transaction()
    kind = "+" if instance._state.adding else "~"
    _save(instance)
    insert(_history_row_of(instance, fact, kind=kind))


def transition(
    instance: models.Model,
    fact: Fact,
    *,
    guard: Mapping[str, Any],
    changes: Mapping[str, Any],
) -> None:
    """Change a tracked row only if ``guard`` still holds, and write its history row.

    Raises:
        ConflictError: exactly one row must match the guard; somebody else was faster.
    """
    _require_transaction()
    manager = type(instance)._default_manager
    if manager.filter(pk=instance.pk, **guard).update(**changes) != 1:
        raise ConflictError(f"{instance.pk} is no longer {dict(guard)}.")
    instance.refresh_from_db()
    insert(_history_row_of(instance, fact, kind="~"))


def record_many(instances: Iterable[models.Model], fact: Fact) -> None:
    """Write the history rows of rows that one guarded update has just changed.

    The only way besides ``record`` and ``transition``; it fills the same columns.
    """
    _require_transaction()
    ordered = sorted(instances, key=_subject_of)
    rows = [_history_row_of(instance, fact, kind="~") for instance in ordered]
    if rows:
        type(rows[0])._default_manager.bulk_create(rows)


def connect() -> None:
    """Connect the one receiver of this project: it completes each history row."""
    pre_create_historical_record.connect(_complete, dispatch_uid="audit.history")


def canonical_form(row: Any, *, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what the canonical bytes of a history row are made of.

    Left out on purpose: ``history_user`` (may be erased) and the row's own number in its table.
    ``extra`` is for an old row: what its model added to the bytes then; now it would add other.
    """
    return {
        "form": FORM,
        "table": row._meta.db_table,
        "type": row.history_type,
        "subject": row.subject,
        "number": row.number,
        "at": stamp(row.history_date),
        "actor": row.actor,
        "event": row.event,
        "reason": row.history_change_reason or "",
        "fields": tracked_values(row, row.tracked_fields)
        | dict(extra_fields(row) if extra is None else extra),
    }


def tracked_values(row: Any, fields: Iterable[Any]) -> dict[str, Any]:
    """Return the values of tracked columns, of a history row or of a current one, for its bytes."""
    return {field.attname: _plain(getattr(row, field.attname)) for field in fields}


def extra_fields(row: Any) -> dict[str, Any]:
    """Return what a model adds to the bytes now that is no column (a person's groups)."""
    more = getattr(row.instance_type, "history_extra", None)
    return {} if more is None else dict(more(row))


def stamp(at: datetime) -> str:
    """Return an instant as RFC 3339 text in UTC with microseconds: one form for one instant."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def authenticate(text: str, salt: str) -> str:
    """Return the HMAC-SHA-256 (hex) of a row's bytes under the key outside the database."""
    key = settings.COUNTERSIGN_HISTORY_KEY.encode()
    return hmac.new(key, f"{salt}.{text}".encode(), hashlib.sha256).hexdigest()


def is_authentic(text: str, salt: str, mac: str) -> bool:
    """Tell whether a row's HMAC is the one of its bytes; whatever the three are, none raises."""
    return hmac.compare_digest(authenticate(text, salt).encode(), mac.encode())


def _complete(history_instance: Any, instance: Any, **_: Any) -> None:
    """Complete the row of a save that no service made, such as Django's own of a person."""
    ambient = getattr(instance, "ambient_history_fact", None)
    if ambient is None:
        raise UnattributedChangeError(
            f"{type(instance).__name__} was saved without audit.history.record: "
            "nobody would know who did it."
        )
    _fill(history_instance, instance, ambient(history_instance))


def _fill(row: Any, instance: Any, fact: Fact) -> None:
    row.actor = str(fact.actor)
    row.event = fact.event
    row.history_date = fact.at
    row.history_user_id = fact.actor.user_id
    row.history_change_reason = fact.reason
    row.subject = _subject_of(instance)
    row.number = _next_number(row.subject)
    row.salt = secrets.token_hex(SALT_BYTES)
    row.canonical = canonical.canonical_text(canonical_form(row))
    row.hmac = authenticate(row.canonical, row.salt)


def _save(instance: Any) -> None:
    if instance._state.adding and instance.pk is not None:
        insert(instance)
        return
    # Its history row is written by our caller; the library's own would cost a second model's save.
    instance.skip_history_when_saving = True
    try:
        instance.save()
    finally:
        del instance.skip_history_when_saving


def _history_row_of(instance: Any, fact: Fact, *, kind: str) -> models.Model:
    """Return the row that says what ``instance`` is now; ``kind`` is ``+`` or ``~``."""
    tracked: type[models.Model] = type(instance)
    model = _history_model_of(tracked)
    copied = {field.attname: getattr(instance, field.attname) for field in model.tracked_fields}
    row: models.Model = model(history_type=kind, **copied)
    _fill(row, instance, fact)
    return row


@functools.cache
def _history_model_of(model: type[models.Model]) -> Any:
    """Return the model of a history table; each ``model.history`` makes a class anew."""
    found = model.history.model  # type: ignore[attr-defined]
    if found._history_m2m_fields:
        raise TypeError(f"{model.__name__} has rows of many-to-many fields, which its save writes.")
    return found


def _next_number(subject: str) -> int:
    """Return the next number of a subject; holds its counter until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_subject (id, last_number) VALUES (%s, 1) ON CONFLICT (id) "
            "DO UPDATE SET last_number = audit_subject.last_number + 1 RETURNING last_number",
            [subject],
        )
        return int(cursor.fetchone()[0])


def _subject_of(instance: Any) -> str:
    return str(instance.history_subject)


def _plain(value: Any) -> Any:
    return stamp(value) if isinstance(value, datetime) else value


def _require_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise UnattributedChangeError("A change and its history need one transaction.")
