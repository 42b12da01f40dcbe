"""The SQLite file: one short connection per transaction, one writer at a time."""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from executors.stripe.sandbox import schema

#: Seconds to wait for readers to leave; nobody else writes, so this is never reached in practice.
_BUSY_SECONDS = 10.0


class StoreError(Exception):
    """The database file cannot be used; the message is a sentence for the person who named it."""


class Store:
    """Opens transactions on the file; the tables are made at the first start."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = threading.Lock()
        self._descriptor = _lock(path)
        try:
            _prepare(path)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that sees one consistent state."""
        with closing(_connect(self._path)) as connection:
            connection.execute("BEGIN")
            yield connection
            connection.rollback()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield the only writing connection; commit at the end, undo all of it on an exception."""
        # The lock makes waiting writers queue; SQLite alone would have them poll.
        with self._writer, closing(_connect(self._path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def close(self) -> None:
        """Let another process use the file, after the transaction under way has ended."""
        with self._writer:
            os.close(self._descriptor)


def _lock(path: Path) -> int:
    """Hold the file for this process: keys "in use" are known to one process only."""
    try:
        descriptor = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise StoreError(f"The database {path} cannot be opened: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreError(f"The database {path} is in use by another local Stripe.") from error
    return descriptor


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    # A refund that was answered must survive a power cut, like the real one would.
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _prepare(path: Path) -> None:
    try:
        # Created before SQLite does it, so that nobody else ever reads the keys inside.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        with closing(_connect(path)) as connection:
            _check_or_create(connection, path)
    except OSError as error:
        raise StoreError(f"The database {path} cannot be opened: {error.strerror}.") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(f"The file {path} cannot be used as a database: {error}.") from error


def _check_or_create(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if (application, version) == (schema.APPLICATION_ID, schema.VERSION):
        return
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application == schema.APPLICATION_ID:
        raise StoreError(f"The database {path} is of another version ({version}); delete it.")
    if tables:
        raise StoreError(f"The database {path} belongs to another program.")
    connection.executescript(
        f"BEGIN IMMEDIATE; {schema.TABLES}"
        f"PRAGMA application_id = {schema.APPLICATION_ID};"
        f"PRAGMA user_version = {schema.VERSION}; COMMIT;"
    )
