"""The Celery tasks, and the bell."""

from collections.abc import Callable

import pytest
from django.conf import settings as django_settings

from config.celery import app
from executors import services, tasks
from executors.models import Execution
from tests.executors.conftest import events
from tests.executors.scripted import ScriptedExecutor


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
    for task in (tasks.run, tasks.reconcile):
        assert (task.soft_time_limit, task.time_limit) == (tasks.SOFT_LIMIT, tasks.HARD_LIMIT)


def test_money_has_a_queue_of_its_own() -> None:
    router = app.amqp.router

    assert router.route({}, tasks.TASK)["queue"].name == "money"
    assert "queue" not in router.route({}, "executors.tasks.sweep") or (
        router.route({}, "executors.tasks.sweep")["queue"].name == "default"
    )


@pytest.mark.django_db
def test_scan_compares_what_the_provider_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    monkeypatch.setattr(services, "scan", lambda: called.append("scan"))

    tasks.scan()
    tasks.scan(reason="twice")

    assert called == ["scan", "scan"]
