"""The database's clock: the only clock that decides anything.

Web processes and workers on many machines disagree about the time; the database they share does
not. Read it once per transaction, after the locks are held, and use that instant for every
comparison and stamp of the transaction.
"""

from datetime import UTC, datetime, timedelta

from django.db import connection

#: Only tests move this, to stand before or behind a deadline without waiting for it.
offset = timedelta(0)


def now() -> datetime:
    """Return the database's present time, aware, in UTC (microseconds; SQLite: milliseconds).

    ``clock_timestamp()`` and not ``now()``: the latter stands still at the start of a
    transaction, so that a transaction which waited for a lock would decide in the past.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT clock_timestamp()")
            return _utc(cursor.fetchone()[0]) + offset
        cursor.execute("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')")
        return datetime.fromisoformat(cursor.fetchone()[0]).replace(tzinfo=UTC) + offset


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)
