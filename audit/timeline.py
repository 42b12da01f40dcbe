"""The story of one subject: every fact about it, over all history tables, in order."""

from functools import cache
from typing import Any

from django.apps import apps

from audit.history import HistoryRow


def facts_about(subject: str) -> list[Any]:
    """Return the history rows of a subject from all tables, oldest first.

    Rows of erased or unattributed kinds do not exist: each has an actor, an event and a number.
    """
    rows = [row for model in _tables() for row in model.objects.filter(subject=subject)]
    return sorted(rows, key=lambda row: row.number)


@cache
def _tables() -> list[Any]:
    return [model for model in apps.get_models() if issubclass(model, HistoryRow)]
