"""A command that takes checkpoints: without a shell, without our secrets, within its time."""

import os
import sys
from pathlib import Path

import pytest

from audit.anchoring.command import CommandTarget
from audit.errors import AnchorError
from tests.flows.polling import wait_until


def command(source: str, *arguments: str, limit: float = 30.0) -> CommandTarget:
    return CommandTarget([sys.executable, "-c", source, *arguments], limit=limit)


def test_it_gets_the_checkpoint_and_its_arguments_as_they_stand(tmp_path):
    put = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read() + sys.argv[2])"

    command(put, str(tmp_path / "out"), "$HOME; false").copy("the note\n")

    assert (tmp_path / "out").read_text() == "the note\n$HOME; false"


def test_nothing_secret_is_in_its_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://user:password@host/name")
    put = "import os, sys; open(sys.argv[1], 'w').write(' '.join(os.environ))"

    command(put, str(tmp_path / "out")).copy("")

    # LC_CTYPE is what Python sets for itself.
    assert set((tmp_path / "out").read_text().split()) <= {
        *("PATH", "HOME", "LANG", "TZ", "LC_CTYPE")
    }


def test_a_code_that_is_not_0_is_no_copy():
    with pytest.raises(AnchorError, match=r"ended with 3\.$"):
        command("raise SystemExit(3)").copy("note")


def test_one_that_hangs_is_ended_with_all_that_it_started(tmp_path):
    started = tmp_path / "child"
    source = (
        "import subprocess, sys, time;"
        "c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        "open(sys.argv[1], 'w').write(str(c.pid)); time.sleep(600)"
    )

    with pytest.raises(AnchorError, match="took more than 5 seconds"):
        command(source, str(started), limit=5).copy("note")

    child = int(started.read_text())
    wait_until(lambda: _state_of(child) in ("gone", "Z"), "its child to be ended")


def _state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except FileNotFoundError:
        return "gone"


def test_what_cannot_be_run_is_a_sentence_at_the_start_and_later(tmp_path):
    file = tmp_path / "plain"
    file.write_text("no program")

    with pytest.raises(AnchorError, match="this process cannot run"):
        CommandTarget([str(tmp_path / "none")]).check()
    with pytest.raises(AnchorError, match="cannot be run: Permission denied"):
        CommandTarget([str(file)]).copy("note")
    CommandTarget([sys.executable]).check()
    assert os.access(sys.executable, os.X_OK)
