"""What an owner of the database can do: take the guards of the record away, and put them back."""

from collections.abc import Iterable
from typing import Any

from audit.guards import tables, triggers


def lift(connection: Any, only: Iterable[str] | None = None) -> None:
    """Let rows of the record be changed and removed, in all its tables or in these."""
    wanted = set(tables.record_tables() if only is None else only)
    with connection.cursor() as cursor:
        for trigger in triggers.expected(connection):
            if trigger.table in wanted:
                cursor.execute(triggers.dropping(connection, trigger))
