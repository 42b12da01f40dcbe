"""A pytest plugin for the run on PostgreSQL: only what can depend on the database or the broker.

Loaded with ``-p tests.support.database_only``. A test counts when it uses a database fixture, or
starts real processes.
"""

import pytest

_FIXTURES = {"db", "transactional_db", "live_server", "django_db_setup"}
_MARKS = ("django_db", "process")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the others, visibly."""
    left_out = [item for item in items if not _counts(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if _counts(item)]


def _counts(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(fixtures & _FIXTURES) or any(map(item.get_closest_marker, _MARKS))
