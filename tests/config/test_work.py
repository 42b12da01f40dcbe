"""``manage.py work``, the worker that needs no broker."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command, load_command_class
from django.db import OperationalError

from config.environment import ConfigurationError
from executors import services
from tests.conftest import make_person

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def own_signals():
    """The command takes over signals; give them back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def once(settings, capsys):
    """Call it as the money role; returns what it printed."""
    settings.COUNTERSIGN_ROLE = "money"

    def call():
        call_command("work", "--once")
        return capsys.readouterr().out

    return call


def parser():
    command = load_command_class("config", "work")
    command._called_from_command_line = True
    return command.create_parser("manage.py", "work")


@pytest.mark.django_db
class TestOnce:
    def test_it_says_as_one_line_of_json_what_it_did(self, once):
        assert json.loads(once()) == {"refused": [], "ran": {}, "read": {}, "failed": []}

    def test_a_database_that_is_away_is_a_sentence(self, once, monkeypatch):
        def fail(**_):
            raise OperationalError("no route")

        monkeypatch.setattr(services, "find_due", fail)

        with pytest.raises(CommandError, match=r"^The database does not answer: no route$"):
            once()

    def test_trouble_with_one_is_in_the_json_and_in_the_exit_code(self, once, monkeypatch, capsys):
        def fail(**_):
            raise RuntimeError

        def find(*, limit, without):
            return [name for name in ["exe_1"] if name not in without]

        monkeypatch.setattr(services, "find_due", find)
        monkeypatch.setattr(services, "run", fail)
        monkeypatch.setattr("executors.working.connections.close_all", lambda: None)

        with pytest.raises(CommandError, match=r"^1 could not be worked on"):
            once()
        assert json.loads(capsys.readouterr().out)["failed"] == ["exe_1"]


@pytest.mark.parametrize("role", ["web", "default", "beat", "command"])
def test_it_starts_as_the_money_role_only(settings, role):
    settings.COUNTERSIGN_ROLE = role

    with pytest.raises(ConfigurationError, match=rf"^COUNTERSIGN_ROLE is '{role}'.* Set it to mon"):
        call_command("work", "--once")


@pytest.mark.django_db
def test_in_production_it_does_not_start_with_people_of_the_demonstration(settings, once):
    settings.IN_PRODUCTION = True
    make_person("reviewer", seeded=True)

    with pytest.raises(ConfigurationError, match="accounts of the demonstration"):
        once()


@pytest.mark.parametrize("every", ["0", "-1", "nan", "inf", "soon"])
def test_it_refuses_a_pause_that_is_none(every, capsys):
    with pytest.raises(SystemExit) as ended:
        parser().parse_args([f"--every={every}"])

    assert ended.value.code == 2
    assert "is not a number of seconds from 0.1 to 3600" in capsys.readouterr().err


def test_it_waits_as_long_as_the_sweeper_unless_told_otherwise(settings):
    assert parser().parse_args([]).every == settings.COUNTERSIGN_SWEEP_EVERY
    assert parser().parse_args(["--every", "0.5"]).every == 0.5


def test_its_help_tells_the_exit_codes():
    said = " ".join(parser().format_help().split())

    assert re.search(r"--every SECONDS .*--once", said)
    assert re.search(r"Exit codes: 0, .* 1, .* 2, ", said)


@pytest.mark.embedded
@pytest.mark.process
def test_without_broker_and_tables_it_waits_until_a_signal_ends_it(tmp_path):
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = kept | {
        "COUNTERSIGN_ENV": "test",
        "COUNTERSIGN_ROLE": "money",
        "COUNTERSIGN_VAR_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'work.sqlite3'}",
    }
    with subprocess.Popen(
        [sys.executable, "manage.py", "work", "--every", "3600"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        first = process.stdout.readline()
        warned = process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate()

    assert (first, rest) == ("Working every 3600 s.\n", "Stopped.\n")
    assert "no such table" in warned
    assert process.returncode == 0
