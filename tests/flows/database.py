"""A database of its own for each stack, and a plain look into it.

A stack's processes do not take part in the transactions of a test, so they cannot share its
database. What a test reads here it reads past all of our own code.
"""

import secrets
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

Row = tuple[Any, ...]


@contextmanager
def own_database(server_url: str, directory: Path) -> Iterator[str]:
    """Yield the URL of an empty database: on the PostgreSQL of this URL, else in SQLite."""
    if not server_url:
        yield f"sqlite:///{directory / 'stack.sqlite3'}"
        return
    name = f"stack_{secrets.token_hex(8)}"
    parts = urlsplit(server_url)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield urlunsplit(parts._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def query(database_url: str, statement: str, *values: Any) -> list[Row]:
    """Return the rows of one SELECT; placeholders are ``%s`` on either database."""
    if database_url.startswith("sqlite:///"):
        # Whatever opened the file first: Django's settings may have put a newer SQLite in place.
        library = sys.modules.get("sqlite3", sqlite3)
        with closing(library.connect(database_url.removeprefix("sqlite:///"))) as connection:
            return list(connection.execute(statement.replace("%s", "?"), values))
    with psycopg.connect(database_url) as connection:
        return connection.execute(statement, values).fetchall()  # type: ignore[arg-type]
