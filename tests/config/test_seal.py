"""``manage.py seal``, the sealer of the record."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command, load_command_class
from django.db import OperationalError

from audit.log import services
from audit.models import Checkpoint, Leaf
from config.environment import ConfigurationError
from tests.audit.log.conftest import log_key  # noqa: F401 - the stage of the log
from tests.conftest import make_person

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def once(settings, capsys, log_key):  # noqa: F811
    """Call it as the sealer; returns what it printed."""
    settings.COUNTERSIGN_ROLE = "sealer"

    def call():
        call_command("seal", "--once")
        return capsys.readouterr().out

    return call


def parser():
    command = load_command_class("config", "seal")
    command._called_from_command_line = True
    return command.create_parser("manage.py", "seal")


@pytest.mark.django_db
class TestOnce:
    def test_it_says_as_one_line_of_json_what_it_sealed(self, once, agent):
        said = json.loads(once())

        assert said == {"leaves": Leaf.objects.count(), "size": Leaf.objects.count(), "refused": []}
        assert json.loads(once())["leaves"] == 0

    def test_a_row_that_is_not_authentic_is_in_the_json_and_in_the_exit_code(
        self, once, agent, capsys
    ):
        agent.history.update(hmac="")

        with pytest.raises(CommandError, match=r"^1 rows are not authentic"):
            once()
        assert len(json.loads(capsys.readouterr().out)["refused"]) == 1

    def test_a_damaged_log_is_a_sentence(self, once, agent):
        once()
        Leaf.objects.order_by("number").last().delete()
        make_person("somebody")

        with pytest.raises(CommandError, match=r"^The log cannot be continued"):
            once()

    def test_what_it_sealed_is_copied_to_the_anchor(self, once, agent, settings, tmp_path):
        settings.COUNTERSIGN_ANCHOR = f"file:{tmp_path / 'notes.txt'}"
        once()

        assert (tmp_path / "notes.txt").read_text() == Checkpoint.objects.get().note

    def test_an_anchor_that_takes_nothing_is_a_sentence_and_it_is_sealed(
        self, once, agent, settings, capsys
    ):
        settings.COUNTERSIGN_ANCHOR = f"command:{sys.executable} -c 'raise SystemExit(3)'"

        with pytest.raises(CommandError, match=r"^It is sealed, and not copied outside: .* 3\.$"):
            once()
        assert json.loads(capsys.readouterr().out)["size"] == Checkpoint.objects.get().size

    def test_a_missing_key_is_a_sentence(self, once, agent, settings, tmp_path):
        settings.COUNTERSIGN_LOG_KEY_FILE = tmp_path / "none.pem"

        with pytest.raises(CommandError, match=r"^Cannot read the key file"):
            once()

    def test_a_database_that_is_away_is_a_sentence(self, once, monkeypatch):
        def fail(**_):
            raise OperationalError("no route")

        monkeypatch.setattr(services, "seal", fail)

        with pytest.raises(CommandError, match=r"^The database does not answer: no route$"):
            once()


@pytest.mark.parametrize("role", ["web", "money", "default", "beat", "command"])
def test_it_starts_as_the_sealer_only(settings, role):
    settings.COUNTERSIGN_ROLE = role

    with pytest.raises(ConfigurationError, match=rf"^COUNTERSIGN_ROLE is '{role}'.* Set it to sea"):
        call_command("seal", "--once")


@pytest.mark.django_db
def test_in_production_it_does_not_start_with_people_of_the_demonstration(settings, once):
    settings.IN_PRODUCTION = True
    make_person("reviewer", seeded=True)

    with pytest.raises(ConfigurationError, match="accounts of the demonstration"):
        once()


def test_it_does_not_start_with_an_anchor_that_is_none(settings):
    settings.COUNTERSIGN_ROLE = "sealer"
    settings.COUNTERSIGN_ANCHOR = "notes.txt"

    with pytest.raises(ConfigurationError, match=r"^COUNTERSIGN_ANCHOR names no place that is kn"):
        call_command("seal", "--once")


@pytest.mark.parametrize("every", ["0", "-1", "nan", "inf", "soon"])
def test_it_refuses_a_pause_that_is_none(every, capsys):
    with pytest.raises(SystemExit) as ended:
        parser().parse_args([f"--every={every}"])

    assert ended.value.code == 2
    assert "is not a number of seconds from 0.1 to 3600" in capsys.readouterr().err


@pytest.mark.embedded
@pytest.mark.process
def test_without_tables_it_waits_until_a_signal_ends_it(tmp_path):
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = kept | {
        "COUNTERSIGN_ENV": "test",
        "COUNTERSIGN_ROLE": "sealer",
        "COUNTERSIGN_VAR_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'seal.sqlite3'}",
    }
    with subprocess.Popen(
        [sys.executable, "manage.py", "seal", "--every", "3600"],
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

    assert (first, rest) == ("Sealing every 3600 s.\n", "Stopped.\n")
    assert "The database does not answer; next look in 3600 s: no such table" in warned
    assert process.returncode == 0
