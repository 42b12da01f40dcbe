"""Acting as the owner of the tables, for the commands that must."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.utils import ConnectionHandler

from config.database import database_from_url
from config.environment import ConfigurationError

_ALIAS = "default"


def owner_connection() -> Any:
    """Return a connection of its own as the role that ``DATABASE_OWNER_URL`` names.

    Raises:
        ConfigurationError: the variable is not set, or names no database.
    """
    if not settings.DATABASE_OWNER_URL:
        raise ConfigurationError(
            "DATABASE_OWNER_URL is not set. Set it, for this command alone, to "
            "postgres://owner:password@host:5432/name."
        )
    owner = database_from_url(settings.DATABASE_OWNER_URL, lease=settings.COUNTERSIGN_LEASE)
    return ConnectionHandler({_ALIAS: owner})[_ALIAS]


@contextmanager
def acting_as_owner() -> Iterator[None]:
    """Let everything in this block use the owner's connection; on SQLite there is no other.

    Raises:
        ConfigurationError: see ``owner_connection``.
    """
    if not is_postgresql():
        yield
        return
    ours, owners = connections[_ALIAS], owner_connection()
    connections[_ALIAS] = owners
    try:
        yield
    finally:
        owners.close()
        connections[_ALIAS] = ours


def is_postgresql() -> bool:
    """Tell whether there are roles at all."""
    return str(settings.DATABASES[_ALIAS]["ENGINE"]).endswith(".postgresql")
