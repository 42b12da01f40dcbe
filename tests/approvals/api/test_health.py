"""``GET /healthz`` and ``GET /readyz``."""

import threading
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from django.db import OperationalError

from approvals.api import health
from config import startup
from config.celery import app
from tests.approvals.api.conftest import Broker, problem_of


@pytest.fixture
def celery_app(settings: Any, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Celery:
    """Celery on a broker of this test's own."""
    settings.REDIS_URL = broker.url
    own = Celery("health", broker=broker.url, set_as_current=False)
    own.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    monkeypatch.setattr(health, "current_app", own)
    return own


@pytest.fixture
def worker(
    request: pytest.FixtureRequest, celery_app: Celery, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A real worker for these queues; a thread of this process."""
    # Whether a worker may start with this configuration is not asked here.
    monkeypatch.setattr(startup, "check_celery_role", lambda: None)
    monkeypatch.setattr(startup, "check_people", lambda: None)
    with start_worker(
        celery_app, perform_ping_check=False, pool="solo", queues=request.param, loglevel="ERROR"
    ):
        yield
    # A worker makes its application that of every thread.
    app.set_current()
    app.set_default()


@pytest.fixture
def all_well(monkeypatch: pytest.MonkeyPatch) -> None:
    for check in ("check_database", "check_broker", "check_workers"):
        monkeypatch.setattr(health, check, lambda: None)


def test_alive_asks_nobody(client: Any) -> None:
    # No database mark on this test: a query would fail it.
    response = client.get("/healthz")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_by_plain_http_is_answered_in_production(
    client: Any, all_well: None, settings: Any, path: str
) -> None:
    settings.SECURE_SSL_REDIRECT = True

    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/healthz/", "/healthz/x", "/api/v1/requests", "/admin/"])
def test_everything_else_is_sent_to_https(client: Any, settings: Any, path: str) -> None:
    settings.SECURE_SSL_REDIRECT = True

    response = client.get(path)

    assert (response.status_code, response["Location"]) == (301, f"https://testserver{path}")


def test_it_is_ready_when_everything_is(client: Any, all_well: None) -> None:
    response = client.get("/readyz")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("check", "words"),
    [("check_database", "database: "), ("check_broker", "broker: "), ("check_workers", "worker: ")],
)
def test_it_names_what_is_missing_and_no_address(
    client: Any, all_well: None, monkeypatch: pytest.MonkeyPatch, check: str, words: str
) -> None:
    def fail() -> None:
        raise OperationalError("could not connect to secret.internal")

    monkeypatch.setattr(health, check, fail)

    response = client.get("/readyz")

    detail = problem_of(response, 503, "not_ready")["detail"]
    assert detail == f"{words}not reachable (OperationalError)."
    assert response.headers["Retry-After"]


def test_it_answers_in_time_when_a_part_is_frozen(
    client: Any, all_well: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    thaw = threading.Event()
    monkeypatch.setattr(health, "check_database", thaw.wait)
    monkeypatch.setattr(health, "PATIENCE", 0.1)
    started = monotonic()

    response = client.get("/readyz")

    thaw.set()
    assert problem_of(response, 503, "not_ready")["detail"] == "database: no answer within 0.1 s."
    assert monotonic() - started < 2


@pytest.mark.django_db(transaction=True)
def test_it_asks_the_database() -> None:
    health.check_database()


def test_it_pings_the_broker(celery_app: Celery) -> None:
    health.check_broker()


def test_a_frozen_broker_is_not_ready(
    client: Any, celery_app: Celery, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "check_database", lambda: None)
    broker.freeze()
    started = monotonic()

    problem = problem_of(client.get("/readyz"), 503, "not_ready")

    assert "broker: " in problem["detail"]
    assert "worker: " in problem["detail"]
    assert monotonic() - started < health.PATIENCE + 1
    broker.thaw()


def test_without_a_broker_it_is_not_ready(settings: Any) -> None:
    settings.REDIS_URL = ""

    with pytest.raises(health.NotReadyError, match="REDIS_URL"):
        health.check_broker()


@pytest.mark.parametrize("worker", [["default", "money"]], indirect=True)
def test_it_finds_the_workers_without_waiting_for_more(worker: None) -> None:
    started = monotonic()

    health.check_workers()

    assert monotonic() - started < 1


@pytest.mark.parametrize("worker", [["default"]], indirect=True)
def test_it_names_the_queue_that_nobody_works_on(worker: None) -> None:
    with pytest.raises(health.NotReadyError, match=r"no worker answers for money$"):
        health.check_workers()


def test_it_names_every_queue_when_there_is_no_worker(celery_app: Celery) -> None:
    with pytest.raises(health.NotReadyError, match="default, money"):
        health.check_workers()
