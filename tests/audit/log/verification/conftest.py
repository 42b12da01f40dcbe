"""A sealed record, and somebody with the database's password."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from audit.log import services
from audit.log.verification.findings import Tally
from audit.log.verification.run import verify


@pytest.fixture
def sealed(log_key: None, agent: Any, change: Callable[..., None]) -> Callable[..., None]:
    """Write so many rows and seal them; once before the test."""

    def _sealed(times: int = 1) -> None:
        change(times)
        services.seal()

    _sealed(3)
    return _sealed


def sql(statement: str, *values: Any) -> None:
    """Tamper: change exactly one row, past everything that this project does."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        assert cursor.rowcount == 1, statement


def found(**options: Any) -> list[str]:
    """Return what a verification finds, each as its line."""
    return [finding.text for finding in verify(Tally(), **options)]


def kinds(lines: list[str]) -> list[str]:
    """Return kind and place of each line."""
    return [" ".join(line.split(" ")[:2]) for line in lines]
