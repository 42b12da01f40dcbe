"""Checks that upper floors register: they can only stop."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from executors import checks
from executors.checks import Stop
from executors.models import Execution

pytestmark = pytest.mark.django_db

AT = datetime(2026, 1, 1, tzinfo=UTC)
MINDS = Stop(code="over_budget", message="The budget of the day is spent.")


@pytest.fixture
def listed(settings: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, checks.Check]:
    settings.COUNTERSIGN_CHECKS = ["first", "second"]
    registered: dict[str, checks.Check] = {}
    monkeypatch.setattr(checks, "_checks", registered)
    return registered


def test_nobody_minds(listed: dict[str, checks.Check]) -> None:
    checks.register("first", lambda claims, at: None)
    checks.register("second", lambda claims, at: None)

    assert checks.objection({}, AT) is None


def test_one_who_minds_is_enough(listed: dict[str, checks.Check]) -> None:
    checks.register("first", lambda claims, at: None)
    checks.register("second", lambda claims, at: MINDS)

    assert checks.objection({}, AT) == MINDS


def test_one_who_is_missing_stops(listed: dict[str, checks.Check]) -> None:
    checks.register("second", lambda claims, at: None)

    stop = checks.objection({}, AT)

    assert stop is not None
    assert (stop.code, stop.final) == ("check_missing", False)


def test_one_who_fails_stops(listed: dict[str, checks.Check]) -> None:
    def fail(claims: Any, at: datetime) -> None:
        raise ZeroDivisionError

    checks.register("first", fail)

    stop = checks.objection({}, AT)

    assert stop is not None
    assert (stop.code, stop.final) == ("check_failed", False)


def test_a_broken_query_does_not_break_the_transaction(listed: dict[str, checks.Check]) -> None:
    def fail(claims: Any, at: datetime) -> None:
        # What a broken query does on PostgreSQL, this does on every database.
        with transaction.atomic(savepoint=False):
            raise DatabaseError("no such table: nowhere")

    checks.register("first", fail)
    checks.objection({}, AT)

    assert Execution.objects.count() == 0
