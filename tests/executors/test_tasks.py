"""The Celery tasks, and the bell."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from celery import current_app
from django.conf import settings as django_settings

from config.celery import app
from executors import tasks
from executors.models import Execution
from tests.executors.conftest import events
from tests.executors.scripted import ScriptedExecutor

RING = tasks.ring


@pytest.mark.django_db
class TestRun:
    """One id, one call, as often as it likes."""

    def test_it_carries_the_execution_out_once(
        self, execution: Execution, executor: ScriptedExecutor
    ) -> None:
        tasks.run(execution_id=execution.pk)
        tasks.run(execution_id=execution.pk)

        execution.refresh_from_db()
        assert execution.status == "SUCCEEDED"
        assert len(executor.sent) == 1
        assert execution.claimed_by == tasks.worker_name()

    def test_it_tolerates_what_a_newer_caller_sends(self, execution: Execution) -> None:
        tasks.run(execution_id=execution.pk, priority="high")

        assert events(execution)[-1] == "execution:succeed"

    def test_a_forged_message_does_nothing(self) -> None:
        tasks.run(execution_id="exe_forged")


@pytest.mark.django_db
def test_sweep_rings_for_what_is_due(
    execution: Execution, rung: list[str], later: Callable[..., None]
) -> None:
    later(seconds=3)
    tasks.sweep()
    tasks.sweep(reason="twice")

    assert rung == [execution.pk, execution.pk]


def test_a_worker_is_dead_before_its_lease_is_over() -> None:
    assert tasks.SOFT_LIMIT < tasks.HARD_LIMIT < django_settings.COUNTERSIGN_LEASE
    assert (tasks.run.soft_time_limit, tasks.run.time_limit) == (
        tasks.SOFT_LIMIT,
        tasks.HARD_LIMIT,
    )


def test_money_has_a_queue_of_its_own() -> None:
    router = app.amqp.router

    assert router.route({}, tasks.TASK)["queue"].name == "money"
    assert "queue" not in router.route({}, "executors.tasks.sweep") or (
        router.route({}, "executors.tasks.sweep")["queue"].name == "default"
    )


class TestRing:
    """It publishes an id, once, and never raises."""

    @pytest.fixture
    def published(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
        messages: list[tuple[Any, Any]] = []
        monkeypatch.setattr(
            type(app), "send_task", lambda self, name, **options: messages.append((name, options))
        )
        return messages

    def test_the_message_is_an_id_and_nothing_else(self, published: list[tuple[Any, Any]]) -> None:
        assert RING("exe_1") is True

        [(name, options)] = published
        assert name == tasks.run.name
        assert options["kwargs"] == {"execution_id": "exe_1"}
        assert options["retry"] is False

    def test_a_broken_broker_is_only_logged(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise ConnectionRefusedError

        monkeypatch.setattr(type(app), "send_task", fail)

        with caplog.at_level(logging.WARNING):
            assert RING("exe_1") is False

        assert "exe_1" in caplog.text

    def test_every_thread_rings_at_the_configured_broker(self) -> None:
        """Celery keeps its present application per thread; web servers have many."""
        found: list[str] = []
        thread = threading.Thread(target=lambda: found.append(current_app.main))
        thread.start()
        thread.join()

        assert found == ["countersign"]
