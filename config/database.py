"""Which database ``DATABASE_URL`` names, and how it is opened."""

import sqlite3
import sys
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import environ

from config.environment import ConfigurationError

#: From this version on SQLite's write-ahead log is safe with several processes; before it, two
#: connections that write and checkpoint at once could, very rarely, damage the file.
WAL_SAFE_FROM = (3, 51, 3)

#: How long a statement waits for a row that somebody else has locked, in milliseconds.
_LOCK_TIMEOUT = 15_000
#: Milliseconds for which a session may stand still within a transaction, per second of the lease.
_STANDING_STILL = 600

_REMEDY = "Set it to postgres://user:password@host:5432/name."


def use_newer_sqlite() -> None:
    """Let ``pysqlite3`` stand in for an older ``sqlite3``, before Django's backend is imported."""
    if sqlite3.sqlite_version_info >= WAL_SAFE_FROM or "django.db.backends.sqlite3" in sys.modules:
        return
    try:
        newer = import_module("pysqlite3")
        newer_dbapi2 = import_module("pysqlite3.dbapi2")
    except ImportError:
        return
    if newer.sqlite_version_info > sqlite3.sqlite_version_info:
        sys.modules["sqlite3"] = newer
        sys.modules["sqlite3.dbapi2"] = newer_dbapi2


def database_from_url(url: str, *, lease: int) -> dict[str, Any]:
    """Return Django's ``DATABASES["default"]``.

    ``lease`` is how long a worker may be silent, in seconds: what its session has locked is free
    again before that. Raises ``ConfigurationError`` when the URL is unusable.
    """
    if not url:
        raise ConfigurationError(f"DATABASE_URL is not set. {_REMEDY}")
    try:
        database: dict[str, Any] = environ.Env.db_url_config(url)
    except Exception:  # noqa: BLE001 (the library raises many kinds; none may show the password)
        raise ConfigurationError(f"DATABASE_URL cannot be understood. {_REMEDY}") from None
    engine = database.get("ENGINE")
    if engine == "django.db.backends.sqlite3":
        return database | _sqlite(database["NAME"])
    if engine == "django.db.backends.postgresql":
        return database | _postgresql(database, lease)
    raise ConfigurationError(f"DATABASE_URL names neither PostgreSQL nor SQLite. {_REMEDY}")


def _sqlite(name: str) -> dict[str, Any]:
    version: tuple[int, ...] = sys.modules["sqlite3"].sqlite_version_info
    journal = "WAL" if version >= WAL_SAFE_FROM else "DELETE"
    file = Path(name)
    return {
        "OPTIONS": {
            # Writers queue at BEGIN; a deferred one that reads first and writes later would fail.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # An approval must survive a power cut.
            "init_command": f"PRAGMA journal_mode={journal}; PRAGMA synchronous=FULL",
        },
        # A file, because threads and processes of a test must meet in the same database.
        "TEST": {"NAME": str(file.with_name(f"test-{file.name}"))},
    }


def _postgresql(database: dict[str, Any], lease: int) -> dict[str, Any]:
    given = database.get("OPTIONS", {})
    return {
        # A socket's directory arrives as %2Frun%2Fpostgresql, libpq's own way of writing it.
        "HOST": unquote(database["HOST"]),
        # One connection per thread, kept for a minute and looked at before it is used again.
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 5,
            "application_name": "countersign",
            # A server that vanished is noticed after half a minute, also while it owes an answer.
            "keepalives": 1,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 4,
            "tcp_user_timeout": 30_000,
        }
        | given
        | {"options": f"{_waits(lease)} {given.get('options', '')}".strip()},
    }


def _waits(lease: int) -> str:
    """Return how long a session waits, and lets others wait, for libpq's ``options``.

    The server's own answer to both is "for ever": a process that is frozen or cut off within a
    transaction would keep its rows from everybody. Of two values for one setting the last counts.
    """
    return (
        f"-c idle_in_transaction_session_timeout={_STANDING_STILL * lease} "
        f"-c lock_timeout={_LOCK_TIMEOUT}"
    )
