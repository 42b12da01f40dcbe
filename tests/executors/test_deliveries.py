"""Which time limits a delivery has: the worker's own, for whoever published it."""

from typing import Any

import pytest
from celery.utils.imports import symbol_by_name
from celery.worker.request import Request, create_request_cls

from config.celery import app
from executors import tasks

LONG = [9000.0, 8000.0]


class Pool:
    """Keeps the limits under which it was asked to carry something out."""

    def apply_async(self, *_: Any, **options: Any) -> Any:
        self.limits = (options["soft_timeout"], options["timeout"])
        return lambda: None


def limits_of(task: Any, request_class: type[Request]) -> tuple[float, float]:
    """Take a message with limits of its own, as a worker does."""
    pool = Pool()
    message_of = {"id": "1", "task": task.name, "timelimit": LONG, "lang": "py", "argsrepr": ""}
    taken = create_request_cls(request_class, task, pool, "host", None, app=app)
    request = taken(Message(message_of), app=app, task=task, headers=message_of)
    request.execute_using_pool(pool)
    return pool.limits


class Message:
    """A message of Celery's protocol, as far as a delivery looks at it."""

    body = b"[[], {}, {}]"
    content_type, content_encoding = "application/json", "utf-8"
    delivery_info: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    payload = ([], {}, {})

    def __init__(self, headers: dict[str, Any]) -> None:
        self.headers = headers


@pytest.mark.parametrize("task", [tasks.run, tasks.reconcile, tasks.scan], ids=lambda t: t.name)
def test_the_limits_of_a_message_are_not_taken(task: Any) -> None:
    ours = limits_of(task, symbol_by_name(task.Request))

    assert ours == (tasks.SOFT_LIMIT, tasks.HARD_LIMIT)


def test_celery_itself_would_take_them() -> None:
    assert limits_of(tasks.run, Request) == (LONG[1], LONG[0])


def test_a_message_brings_none_along(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(type(app.amqp), "send_task_message", property(lambda _: keep(sent)))

    assert tasks.ring("exe_1")

    [headers] = sent
    assert list(headers["timelimit"]) == [None, None]


def keep(sent: list[Any]) -> Any:
    def send(producer: Any, name: str, message: Any, **options: Any) -> None:
        sent.append(message.headers)

    return send
