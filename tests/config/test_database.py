"""How each kind of database is opened."""

import sqlite3
import sys
from types import SimpleNamespace

import pytest
from django.db import connection

from config import database
from config.database import database_from_url, use_newer_sqlite
from config.environment import ConfigurationError


class TestUrl:
    @pytest.mark.parametrize(
        ("url", "told"),
        [
            ("", "DATABASE_URL is not set"),
            ("mysql://user:s3cret@host/name", "neither PostgreSQL nor SQLite"),
            ("postgres://user:s3cret@host:port/name", "cannot be understood"),
            ("s3cret", "neither PostgreSQL nor SQLite|cannot be understood"),
        ],
    )
    def test_an_unusable_one_is_refused_without_showing_it(self, url, told):
        with pytest.raises(ConfigurationError, match=told) as caught:
            database_from_url(url, lease=50)

        assert "s3cret" not in str(caught.value)
        assert "postgres://user:password@host:5432/name" in str(caught.value)

    def test_postgresql_keeps_its_connections(self):
        opened = database_from_url(
            "postgres://user:password@host:5433/name?sslmode=require", lease=50
        )

        assert opened["ENGINE"] == "django.db.backends.postgresql"
        assert (opened["HOST"], opened["PORT"], opened["NAME"]) == ("host", 5433, "name")
        assert opened["CONN_MAX_AGE"] == 60
        assert opened["CONN_HEALTH_CHECKS"] is True
        assert opened["OPTIONS"]["sslmode"] == "require"
        assert opened["OPTIONS"]["connect_timeout"] == 5

    def test_postgresql_may_be_at_a_socket(self):
        opened = database_from_url("postgres://postgres@%2Frun%2Fpg/name", lease=50)

        assert opened["HOST"] == "/run/pg"

    @pytest.mark.parametrize(("lease", "still"), [(50, 30_000), (5, 3_000)])
    def test_no_session_of_postgresql_keeps_others_waiting_for_ever(self, lease, still):
        options = database_from_url("postgres://host/name", lease=lease)["OPTIONS"]

        assert options["options"] == (
            f"-c idle_in_transaction_session_timeout={still} -c lock_timeout=15000"
        )
        assert still < lease * 1000
        assert (options["keepalives"], options["tcp_user_timeout"]) == (1, 30_000)

    def test_what_the_operator_says_about_postgresql_comes_last(self):
        said = "options=-c%20lock_timeout%3D1s%20-c%20jit%3Doff&keepalives=0&connect_timeout=9"
        options = database_from_url(f"postgres://host/name?{said}", lease=50)["OPTIONS"]

        assert options["options"].endswith("-c lock_timeout=15000 -c lock_timeout=1s -c jit=off")
        assert (options["keepalives"], options["connect_timeout"]) == (0, 9)

    @pytest.mark.parametrize(
        ("version", "journal"),
        [((3, 51, 3), "WAL"), ((3, 52, 0), "WAL"), ((3, 51, 2), "DELETE"), ((3, 40, 1), "DELETE")],
    )
    def test_sqlite_writes_ahead_only_where_that_is_safe(self, monkeypatch, version, journal):
        monkeypatch.setitem(sys.modules, "sqlite3", SimpleNamespace(sqlite_version_info=version))

        opened = database_from_url("sqlite:////tmp/name.sqlite3", lease=50)

        assert f"journal_mode={journal};" in opened["OPTIONS"]["init_command"]


@pytest.mark.django_db
def test_nobody_waits_for_a_lock_for_ever():
    told = {"postgresql": ("SHOW lock_timeout", "15s"), "sqlite": ("PRAGMA busy_timeout", 20_000)}
    question, answer = told[connection.vendor]

    with connection.cursor() as cursor:
        cursor.execute(question)
        assert cursor.fetchone() == (answer,)


@pytest.mark.embedded
@pytest.mark.django_db
class TestSqlite:
    def test_an_approval_survives_a_power_cut(self):
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous")
            assert cursor.fetchone() == (2,)

    def test_writers_wait_for_each_other(self):
        assert connection.transaction_mode == "IMMEDIATE"

    def test_threads_and_processes_meet_in_one_file(self):
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA database_list")
            files = {name: file for _, name, file in cursor.fetchall()}
        assert "test-countersign.sqlite3" in files["main"]


@pytest.mark.embedded
class TestNewerSqlite:
    @pytest.fixture(autouse=True)
    def before_django(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "sqlite3", sqlite3)
        monkeypatch.delitem(sys.modules, "django.db.backends.sqlite3", raising=False)

    def test_it_takes_the_place_of_an_older_one(self, monkeypatch):
        newer = SimpleNamespace(sqlite_version_info=(9, 0, 0))
        monkeypatch.setattr(database, "sqlite3", SimpleNamespace(sqlite_version_info=(3, 40, 1)))
        monkeypatch.setattr(database, "import_module", lambda _name: newer)
        monkeypatch.setitem(sys.modules, "sqlite3.dbapi2", sqlite3.dbapi2)

        use_newer_sqlite()

        assert sys.modules["sqlite3"] is newer

    @pytest.mark.parametrize("found", [(3, 51, 3), (3, 40, 1)])
    def test_it_stays_away_where_it_would_not_help(self, monkeypatch, found):
        other = SimpleNamespace(sqlite_version_info=(3, 40, 1))
        monkeypatch.setattr(database, "sqlite3", SimpleNamespace(sqlite_version_info=found))
        monkeypatch.setattr(database, "import_module", lambda _name: other)

        use_newer_sqlite()

        assert sys.modules["sqlite3"] is sqlite3

    def test_without_the_package_the_old_one_stays(self, monkeypatch):
        def missing(name):
            raise ImportError(name)

        monkeypatch.setattr(database, "sqlite3", SimpleNamespace(sqlite_version_info=(3, 40, 1)))
        monkeypatch.setattr(database, "import_module", missing)

        use_newer_sqlite()

        assert sys.modules["sqlite3"] is sqlite3
