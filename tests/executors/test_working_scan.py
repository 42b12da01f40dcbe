"""The loop looks for refunds past the gate where the periodic task does not."""

import itertools
from collections.abc import Callable

import pytest
from django.db import OperationalError

from audit import clock
from executors import services
from executors.models import Scan
from executors.working import Loop

pytestmark = pytest.mark.django_db


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often the provider was listed."""
    done: list[str] = []
    monkeypatch.setattr(services, "scan", lambda: done.append("scan"))
    return done


@pytest.fixture
def listed(db: None) -> None:
    """Somebody has listed the provider to its end just now."""
    at = clock.now()
    Scan.objects.create(
        action="stripe.refund", account="acct_1", since=at, until=at, listed=0, finished_at=at
    )


def test_it_lists_when_nobody_has(loop: Loop, scans: list[str]) -> None:
    loop.round()

    assert scans == ["scan"]


def test_it_leaves_that_to_the_periodic_task(loop: Loop, scans: list[str], listed: None) -> None:
    loop.round()

    assert scans == []


def test_a_listing_of_ten_minutes_ago_is_late(
    loop: Loop, scans: list[str], listed: None, later: Callable[..., None]
) -> None:
    later(minutes=10)
    loop.round()

    assert scans == ["scan"]


def test_a_listing_that_fails_is_not_repeated_at_once(loop: Loop, scans: list[str]) -> None:
    loop.round()
    loop.round()

    assert scans == ["scan"]


def test_work_that_never_ends_does_not_keep_it_from_listing(
    loop: Loop, scans: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    numbers = itertools.count()
    monkeypatch.setattr(services, "find_due", lambda **_: [f"exe_{next(numbers)}"])

    def run(*, execution_id: str, worker: str) -> None:
        ran.append(execution_id)
        loop.stopping = bool(scans) or len(ran) >= 1000

    monkeypatch.setattr(services, "run", run)
    loop.round()

    assert scans == ["scan"]


def test_one_that_is_told_to_stop_lists_nothing(loop: Loop, scans: list[str]) -> None:
    loop.stopping = True
    loop.round()

    assert scans == []


def test_a_fault_keeps_nothing_else_waiting(
    loop: Loop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("Half a listing.")

    monkeypatch.setattr(services, "scan", fail)
    loop.round()

    assert "The provider was not compared" in caplog.text


def test_a_database_that_is_away_ends_the_round(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def go_away() -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(services, "scan", go_away)

    with pytest.raises(OperationalError):
        loop.round()
