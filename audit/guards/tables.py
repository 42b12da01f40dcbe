"""Which tables hold the record: their rows are written once, and never changed or removed."""

from typing import Any

from django.apps import apps

from audit.log.unsealed import history_models
from audit.models import Anchored, Checkpoint, Erasure, Leaf, LogTile


def record_tables() -> list[str]:
    """Return the tables of history, erasures, leaves, tiles, checkpoints and copies, sorted."""
    logs = [Leaf, LogTile, Checkpoint, Anchored]
    models = [*history_models(), *_membership_models(), Erasure, *logs]
    return sorted(model._meta.db_table for model in models)


def existing(connection: Any) -> list[str]:
    """Return those of them that the database has; before the first migration it has none."""
    known = set(connection.introspection.table_names())
    return [table for table in record_tables() if table in known]


def _membership_models() -> list[Any]:
    """Return the models of the library's copies of memberships, one row for each."""
    return [model for model in apps.get_models() if hasattr(model, "m2m_history_id")]
