"""Can this installation do its work? Every answer within a bounded time, whatever is frozen.

All parts are asked for: without its broker an installation still works, but slower than it should,
and whoever looks after it wants to know. So this tells whom to wake, not where to route.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import connection

from approvals.api.throttling import connect

#: Seconds for all checks together; they run side by side.
PATIENCE = 2.0
#: Seconds that workers get to answer a ping.
_WORKERS_ANSWER = 1.0

#: Enough for two rounds at once: a check that hangs keeps its thread until its own time limit.
_pool = ThreadPoolExecutor(max_workers=6, thread_name_prefix="readyz")


class NotReadyError(Exception):
    """Something is missing, in words that may be shown to anybody."""


class _AllHereError(Exception):
    """Ends the collection of answers early: every queue has a worker."""


def failures() -> dict[str, str]:
    """Return what is not ready, each with a sentence; empty when everything is."""
    checks: Mapping[str, Callable[[], None]] = {
        "database": check_database,
        "broker": check_broker,
        "worker": check_workers,
    }
    until = time.monotonic() + PATIENCE
    running = {name: _pool.submit(check) for name, check in checks.items()}
    wait(running.values(), timeout=max(0.0, until - time.monotonic()))
    answers = {name: _failure(check) for name, check in running.items()}
    return {name: answer for name, answer in answers.items() if answer}


def check_database() -> None:
    """Ask the database for nothing. Raises whatever the driver raises."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        # This thread's own connection; nobody else would close it.
        connection.close()


def check_broker() -> None:
    """Ping the broker. Raises whatever the client raises."""
    if not settings.REDIS_URL:
        raise NotReadyError("REDIS_URL is not set")
    with connect(settings.REDIS_URL, patience=_WORKERS_ANSWER) as client:
        client.ping()


def check_workers() -> None:
    """Ask which queues are being worked on. Raises ``NotReadyError`` when one is not."""
    missing = _queues()

    def note(answer: dict[str, Any]) -> None:
        for queues in answer.values():
            missing.difference_update(queue["name"] for queue in queues)
        if not missing:
            raise _AllHereError

    try:
        current_app.control.broadcast(
            "active_queues", reply=True, timeout=_WORKERS_ANSWER, callback=note
        )
    except _AllHereError:
        return
    raise NotReadyError(f"no worker answers for {', '.join(sorted(missing))}")


def _queues() -> set[str]:
    routes = settings.CELERY_TASK_ROUTES.values()
    return {settings.CELERY_TASK_DEFAULT_QUEUE, *(route["queue"] for route in routes)}


def _failure(check: "Future[None]") -> str:
    """Return why a check failed, by the kind of error only: its text may hold an address."""
    if not check.done():
        check.cancel()
        return f"no answer within {PATIENCE:g} s"
    error = check.exception()
    if error is None:
        return ""
    if isinstance(error, NotReadyError):
        return str(error)
    return f"not reachable ({type(error).__name__})"
