"""Django's system check for the triggers: ``manage.py check --database default``."""

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.db import connections

from audit.guards import triggers

MISSING = "audit.W001"


@checks.register(checks.Tags.database)
def check_triggers(
    app_configs: Any = None, databases: Sequence[str] | None = None, **_: Any
) -> list[checks.CheckMessage]:
    """Find tables of the record whose rows could be changed or removed by mistake.

    A warning and no error: ``migrate`` runs it first, and is the remedy.
    """
    return [
        message for alias in databases or () for message in _check_one(connections[alias], alias)
    ]


def _check_one(connection: Any, alias: str) -> list[checks.CheckMessage]:
    return [
        checks.Warning(
            f"The trigger {trigger.name} of the table {trigger.table}, which refuses "
            f"{trigger.refuses}, is missing, disabled or changed.",
            hint=f"Run `manage.py migrate --database {alias}` as the owner of the tables: it puts "
            "the triggers in place. Then run `manage.py verify_record`.",
            obj=trigger.table,
            id=MISSING,
        )
        for trigger in triggers.missing(connection)
    ]
