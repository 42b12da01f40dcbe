"""Celery is a bell: what its settings must be, so that it neither loses, doubles nor holds up."""

import pytest
from celery.schedules import schedule
from django.conf import settings

from config import startup
from config.celery import app
from executors import bell, tasks
from executors.limits import HARD_LIMIT, SOFT_LIMIT
from executors.stripe import gateway


@pytest.mark.parametrize(
    ("name", "value"),
    [
        # A message is kept until its task is over, and comes again when the worker died in it.
        ("task_acks_late", True),
        ("task_reject_on_worker_lost", True),
        # What one worker has not begun stays in the queue, for another.
        ("worker_prefetch_multiplier", 1),
        # Nothing but data is ever read from a message.
        ("task_serializer", "json"),
        ("accept_content", ["json"]),
        # Whatever became of a task is in the database; nobody waits for a result.
        ("task_ignore_result", True),
        ("result_backend", None),
        ("task_publish_retry", False),
        # A worker that lost its broker waits for it, however long that takes.
        ("broker_connection_retry", True),
        ("broker_connection_retry_on_startup", True),
        ("broker_connection_max_retries", None),
    ],
)
def test_setting(name: str, value: object) -> None:
    assert app.conf[name] == value


@pytest.mark.parametrize("task", [tasks.run, tasks.reconcile], ids=lambda task: task.name)
def test_money_tasks_end_before_their_lease_and_after_their_timeouts(task: object) -> None:
    soft, hard = task.soft_time_limit, task.time_limit  # type: ignore[attr-defined]
    timeouts = 2 * gateway.FACTS_BUDGET + sum(gateway.MONEY_TIMEOUT)

    assert (soft, hard) == (SOFT_LIMIT, HARD_LIMIT)
    assert timeouts < soft < hard < settings.COUNTERSIGN_LEASE


def test_the_shortest_lease_in_production_leaves_room_for_the_timeouts() -> None:
    timeouts = 2 * gateway.FACTS_BUDGET + sum(gateway.MONEY_TIMEOUT)

    assert timeouts < startup.LEAST_LEASE * SOFT_LIMIT / settings.COUNTERSIGN_LEASE


def test_a_message_comes_again_long_after_its_task_is_dead() -> None:
    assert app.conf.broker_transport_options["visibility_timeout"] >= 3 * HARD_LIMIT


def test_every_wait_for_the_broker_is_short_and_none_is_repeated() -> None:
    options = app.conf.broker_transport_options

    assert options["socket_timeout"] == options["socket_connect_timeout"] == 1
    assert options["max_retries"] == 0


@pytest.mark.parametrize("name", [bell.TASK, bell.RECONCILE])
def test_money_has_a_queue_of_its_own(name: str) -> None:
    assert app.conf.task_routes[name] == {"queue": "money"}


def test_what_beat_sends_is_forgotten_when_it_is_late() -> None:
    for entry in app.conf.beat_schedule.values():
        every = schedule(entry["schedule"]).run_every.total_seconds()
        assert entry["options"]["expires"] <= every
