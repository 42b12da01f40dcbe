"""Empties the database after a test whose changes were committed.

Django truncates every table and then makes its content types and permissions anew: most of the
time of a short test on PostgreSQL. Here only what was filled is emptied, and those two stay.
"""

import functools
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.test import TransactionTestCase

from approvals import groups
from audit import clock
from audit.guards import triggers
from tests.support import unguarded

_KEPT = (ContentType, Permission, MigrationRecorder.Migration)


def install() -> None:
    """Let Django's test cases, and so pytest-django's fixtures, empty in this way."""
    TransactionTestCase._fixture_teardown = _empty  # type: ignore[method-assign]


def _empty(case: Any) -> None:
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(_look())
        filled = [table for (table,) in cursor.fetchall()]
        # Foreign keys are looked at when the transaction ends, so that the order is no matter.
        with transaction.atomic():
            unguarded.lift(connection, only=filled)
            for table in filled:
                cursor.execute(f"DELETE FROM {quote(table)}")
            # Whoever lifted the guards within the test has them back, too.
            triggers.install(connection)
    # A test that moved the clock may still have it moved; the groups of the next ones are of today.
    with patch.object(clock, "offset", timedelta(0)):
        groups.ensure(apps.get_app_config("audit"))


@functools.cache
def _look() -> str:
    """Return a query for the names of the tables that hold a row."""
    quote = connection.ops.quote_name
    return " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {quote(table)})" for table in _tables()
    )


def _tables() -> Sequence[str]:
    kept = {model._meta.db_table for model in _KEPT}
    return sorted(set(connection.introspection.django_table_names(only_existing=True)) - kept)
