"""The bell: it publishes an id, once, within a bounded time, and never raises."""

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery, current_app

from config.celery import app
from executors import bell, tasks
from tests.support.broker import Broker, running_broker

#: The functions themselves; the stage of this floor puts something silent in their place.
RING, RING_TO_RECONCILE = bell.ring, bell.ring_to_reconcile

#: Seconds that one decision may be held up by a broker that does not answer.
BOUND = 4


@pytest.fixture(autouse=True)
def not_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has failed yet."""
    monkeypatch.setattr(bell, "_silent_until", 0.0)


def test_ringing_is_one_message_with_an_id(published: list[tuple[Any, Any]]) -> None:
    assert RING("exe_1") is True
    assert RING_TO_RECONCILE("exe_2") is True

    assert [name for name, _ in published] == [tasks.run.name, tasks.reconcile.name]
    assert [options["kwargs"] for _, options in published] == [
        {"execution_id": "exe_1"},
        {"execution_id": "exe_2"},
    ]
    assert all(options["retry"] is False for _, options in published)


class TestBroken:
    """A broker that does not answer costs one decision a moment, and the others nothing."""

    @pytest.fixture
    def tries(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        tries: list[str] = []

        def fail(_: Any, name: str, **__: Any) -> None:
            tries.append(name)
            raise ConnectionRefusedError

        monkeypatch.setattr(type(app), "send_task", fail)
        return tries

    def test_it_is_only_logged(self, tries: list[str], caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING):
            assert RING("exe_1") is False

        assert "exe_1" in caplog.text

    def test_for_some_seconds_nobody_tries_again(self, tries: list[str]) -> None:
        assert [RING("exe_1"), RING("exe_2"), RING_TO_RECONCILE("exe_3")] == [False] * 3

        assert tries == [tasks.run.name]

    def test_then_it_rings_again(
        self, tries: list[str], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
    ) -> None:
        RING("exe_1")
        published = request.getfixturevalue("published")
        monkeypatch.setattr(bell, "monotonic", lambda: time.monotonic() + bell.PAUSE)

        assert RING("exe_2") is True
        assert len(published) == 1


class TestFrozen:
    """A real Valkey that is stopped: it accepts connections and answers nothing."""

    @pytest.fixture
    def broker(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
        with (
            running_broker(tmp_path / "valkey") as running,
            Celery("bell", broker=running.url, set_as_current=False) as own,
        ):
            own.config_from_object("django.conf:settings", namespace="CELERY")
            own.conf.broker_url = running.url
            monkeypatch.setattr(bell, "current_app", own)
            yield running

    @pytest.mark.parametrize("is_connected", [True, False])
    def test_ringing_takes_a_bounded_time_and_heals(
        self, broker: Broker, is_connected: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if is_connected:
            assert RING("exe_0") is True, "a socket waits in the pool"
        broker.freeze()
        started = time.monotonic()
        heard = RING("exe_1")
        took = time.monotonic() - started
        broker.thaw()
        monkeypatch.setattr(bell, "_silent_until", 0.0)

        assert heard is False
        assert took < BOUND
        assert RING("exe_2") is True

    def test_ten_decisions_wait_no_longer_than_one(self, broker: Broker) -> None:
        broker.freeze()
        started = time.monotonic()
        heard = [RING(f"exe_{number}") for number in range(10)]
        took = time.monotonic() - started
        broker.thaw()

        assert not any(heard)
        assert took < BOUND

    def test_an_absent_one_is_noticed_at_once(self, broker: Broker) -> None:
        RING("exe_0")
        broker.process.kill()
        broker.process.wait()
        started = time.monotonic()

        assert RING("exe_1") is False
        assert time.monotonic() - started < 1


def test_every_thread_rings_at_the_configured_broker() -> None:
    """Celery keeps its present application per thread; web servers have many."""
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(current_app.main))
    thread.start()
    thread.join()

    assert found == ["countersign"]


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    messages: list[tuple[Any, Any]] = []
    monkeypatch.setattr(
        type(app), "send_task", lambda self, name, **options: messages.append((name, options))
    )
    return messages
