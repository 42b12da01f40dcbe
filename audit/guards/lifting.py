"""Lifts the guards of some tables of the record within a transaction, for an erasure alone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, transaction

from audit.errors import AuditError
from audit.guards import triggers

#: Milliseconds for which the tables are waited for: less than PostgreSQL's ``deadlock_timeout``, so
#: that it is never somebody else's transaction that has to give way.
_PATIENCE = 500


class BusyError(AuditError):
    """Somebody writes into one of the tables; the whole transaction may be tried again."""

    code = "busy"


@contextmanager
def lifted(connection: Any, tables: Sequence[str]) -> Iterator[None]:
    """Let rows of these tables be changed in this block of the caller's transaction.

    On PostgreSQL others read meanwhile, and wait with what they write. Whatever ends the block by
    an exception must end the transaction too: that puts the triggers back.

    Raises:
        BusyError: a table could not be had in time.
        DatabaseError: this role does not own the tables.
    """
    lacking = set(triggers.missing(connection))
    wanted = [
        trigger
        for trigger in triggers.expected(connection)
        if trigger.table in tables and trigger not in lacking
    ]
    if connection.vendor == "postgresql" and wanted:
        _lock(connection, sorted({trigger.table for trigger in wanted}))
    _execute(connection, [triggers.dropping(connection, trigger) for trigger in wanted])
    yield
    triggers.install(connection, wanted)


def _lock(connection: Any, tables: Sequence[str]) -> None:
    names = ", ".join(map(connection.ops.quote_name, tables))
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        [before] = cursor.fetchone()
        cursor.execute(f"SET LOCAL lock_timeout = {_PATIENCE}")
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")
        except OperationalError as error:
            raise BusyError(f"Somebody writes into {names}.") from error
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [before])


def _execute(connection: Any, statements: Sequence[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
