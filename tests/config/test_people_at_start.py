"""Production does not start with the accounts of the demonstration; servers really ask."""

import importlib
import io
import sys
from types import SimpleNamespace

import pytest
from celery.concurrency import get_implementation
from django.db import DatabaseError

from approvals import demo
from approvals.models import User
from approvals.models.people import acting_as
from approvals.permissions import SEED
from config import sentences, startup
from config.celery import check_pool, check_start
from config.environment import ConfigurationError

pytestmark = pytest.mark.django_db


@pytest.fixture
def in_production(settings):
    settings.IN_PRODUCTION = True
    settings.COUNTERSIGN_ROLE = "beat"
    return settings


def test_seeded_people_stop_the_start(in_production):
    demo.seed()

    with pytest.raises(ConfigurationError, match=r"\(admin, auditor, reviewer, second_reviewer\)"):
        startup.check_people()


def test_the_demonstration_starts_with_them():
    demo.seed()

    startup.check_people()


def test_deactivated_ones_are_no_danger(in_production):
    demo.seed()
    with acting_as(SEED):
        for user in User.objects.all():
            user.is_active = False
            user.save()

    startup.check_people()


def test_people_of_ones_own_are_welcome(in_production, reviewer):
    startup.check_people()


def test_a_database_that_cannot_be_asked_stops_the_start(in_production, monkeypatch):
    def fail(*_args, **_kwargs):
        raise DatabaseError("it is away")

    monkeypatch.setattr("django.db.models.query.QuerySet._fetch_all", fail)

    with pytest.raises(ConfigurationError, match=r"DATABASE_URL .* \(it is away\)"):
        startup.check_people()


@pytest.mark.parametrize("server", ["config.wsgi", "config.asgi"])
def test_web_servers_ask(in_production, monkeypatch, server):
    demo.seed()
    monkeypatch.delitem(sys.modules, server, raising=False)
    told = io.StringIO()
    monkeypatch.setattr(sys, "__stderr__", told)

    with pytest.raises(SystemExit) as caught:
        importlib.import_module(server)

    assert caught.value.code == sentences.NEVER_BOOTS
    assert "accounts of the demonstration" in told.getvalue()


def test_celery_asks_and_ends(in_production):
    demo.seed()

    with pytest.raises(SystemExit) as caught:
        check_start()

    assert caught.value.code == 1


def test_celery_starts_where_all_is_well(in_production):
    check_start()


@pytest.mark.parametrize("pool", ["threads", "solo"])
def test_money_is_not_moved_in_a_pool_without_time_limits(in_production, monkeypatch, pool):
    told = io.StringIO()
    monkeypatch.setattr(sys, "__stderr__", told)
    in_production.COUNTERSIGN_ROLE = "money"

    with pytest.raises(SystemExit):
        check_pool(started_with(pool))

    assert told.getvalue().startswith("Countersign cannot start: The money worker was started")


@pytest.mark.parametrize(("role", "pool"), [("money", "prefork"), ("default", "threads")])
def test_any_other_pool_is_no_trouble(in_production, role, pool):
    in_production.COUNTERSIGN_ROLE = role

    check_pool(started_with(pool))


def started_with(pool):
    return SimpleNamespace(pool_cls=get_implementation(pool))


@pytest.mark.parametrize("role", ["command", "web"])
def test_a_worker_must_say_which_one_it_is(in_production, monkeypatch, role):
    told = io.StringIO()
    monkeypatch.setattr(sys, "__stderr__", told)
    in_production.COUNTERSIGN_ROLE = role

    with pytest.raises(SystemExit):
        check_start()

    assert told.getvalue().startswith(
        "Countersign cannot start: COUNTERSIGN_ROLE is not set for this"
    )
