"""``manage.py harden_database``: as the owner, over a connection of its own."""

import os
from urllib.parse import quote

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from audit.guards import grants
from config import startup
from config.environment import ConfigurationError

ROLE = f"hardened_{os.getpid()}"
on_postgresql = pytest.mark.postgres


def url() -> str:
    ours = connection.settings_dict
    user, password = quote(ours["USER"]), quote(ours["PASSWORD"] or "")
    host = quote(ours["HOST"], safe="")
    return f"postgres://{user}:{password}@{host}:{ours['PORT'] or 5432}/{ours['NAME']}"


@pytest.fixture
def role(transactional_db, settings):
    """The application's role, as DATABASE_URL would name it."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE} LOGIN")
    before = connection.settings_dict["USER"]
    settings.DATABASE_OWNER_URL = url()
    settings.DATABASES["default"]["USER"] = ROLE
    yield ROLE
    settings.DATABASES["default"]["USER"] = before
    with connection.cursor() as cursor:
        cursor.execute(f"DROP OWNED BY {ROLE}")
        cursor.execute(f"DROP ROLE {ROLE}")


@on_postgresql
@pytest.mark.django_db(transaction=True)
class TestOnPostgresql:
    def test_it_leaves_the_role_insert_and_select_and_says_so(self, role, capsys):
        call_command("harden_database")

        assert capsys.readouterr().out == (
            f"The role {ROLE} may insert into the record and read it, and no more.\n"
        )
        assert grants.find_excess(connection, role=role) == []
        assert grants.find_lack(connection, role=role) == []

    def test_what_it_cannot_take_away_is_said_with_an_exit_code(self, role):
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER ROLE {ROLE} CREATEROLE")

        with pytest.raises(CommandError, match="which may do anything") as caught:
            call_command("harden_database")
        assert caught.value.returncode == 1

    def test_without_the_owner_it_says_what_to_set(self, settings):
        settings.DATABASE_OWNER_URL = ""

        with pytest.raises(CommandError, match="DATABASE_OWNER_URL is not set"):
            call_command("harden_database")

    def test_the_owner_cannot_be_the_role(self, settings):
        settings.DATABASE_OWNER_URL = url()

        with pytest.raises(CommandError, match="name the same role"):
            call_command("harden_database")


@pytest.mark.embedded
def test_sqlite_has_no_roles():
    with pytest.raises(CommandError, match="SQLite has no roles"):
        call_command("harden_database")


@pytest.mark.parametrize("role", ["web", "money", "default", "beat", "sealer"])
def test_no_process_that_goes_on_running_may_have_the_owner(settings, role):
    settings.DATABASE_OWNER_URL = "postgres://owner@localhost/countersign"
    settings.COUNTERSIGN_ROLE = role
    settings.IN_PRODUCTION = True

    with pytest.raises(ConfigurationError, match="DATABASE_OWNER_URL is set for the role"):
        startup.check_environment()
