"""No process is left behind, however its parent ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config.processes import ask_to_stop, finish, follow_parent, spawn, tied_to_parent

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = [pytest.mark.embedded, pytest.mark.process]

#: A parent that starts a child and says its number, then waits for ever.
PARENT = """
import sys, time
from pathlib import Path
from config.processes import spawn
child = spawn([sys.executable, "-c", "import time; time.sleep(600)"], log=Path(sys.argv[1]))
print(child.pid, flush=True)
time.sleep(600)
"""
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


SAY_AND_WAIT = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"


def is_alive(pid):
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def eventually(is_true, seconds=20):
    until = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < until, "it never became true"
        time.sleep(0.02)


@pytest.fixture
def log(tmp_path):
    return tmp_path / "logs" / "child.log"


def start(log, program, **options):
    return spawn([sys.executable, "-c", program], log=log, **options)


def test_what_it_says_is_in_its_log(log):
    process = start(log, "import sys; print('out'); print('err', file=sys.stderr)")

    process.wait(20)

    assert set(log.read_text().split()) == {"out", "err"}


def test_it_has_the_environment_it_is_given_and_no_other(log):
    process = start(log, "import os; print(sorted(os.environ))", environment={"ONLY": "this"})

    process.wait(20)

    assert "'ONLY'" in log.read_text()
    assert "HOME" not in log.read_text()


def test_it_is_out_of_the_terminals_reach(log):
    process = start(log, "import time; time.sleep(600)")

    assert os.getpgid(process.pid) != os.getpgid(0)

    ask_to_stop(process)
    assert finish(process, within=20)


def test_asking_one_that_has_ended_does_no_harm(log):
    process = start(log, "")
    process.wait(20)

    ask_to_stop(process)

    assert finish(process, within=1)


def test_a_stubborn_one_is_killed_with_its_children(log):
    process = start(log, STUBBORN)
    eventually(lambda: log.exists() and log.read_text().strip())
    child = int(log.read_text())

    ask_to_stop(process)

    assert not finish(process, within=0.2)
    eventually(lambda: not is_alive(child))


def test_what_an_obedient_one_leaves_behind_is_killed(log):
    program = STUBBORN.replace("signal.signal(signal.SIGTERM, signal.SIG_IGN)", "")
    process = start(log, program)
    eventually(lambda: log.exists() and log.read_text().strip())
    child = int(log.read_text())

    ask_to_stop(process)

    assert finish(process, within=20)
    eventually(lambda: not is_alive(child))


def test_killing_the_parent_ends_the_child(log):
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, log], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        child = int(parent.stdout.readline())
        assert is_alive(child)

        parent.send_signal(signal.SIGKILL)

    eventually(lambda: not is_alive(child))


def test_one_that_follows_its_parent_ends_with_it(tmp_path):
    following = "from config.processes import follow_parent; follow_parent(); " + SAY_AND_WAIT
    parent = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {following!r}])
time.sleep(600)
"""
    with subprocess.Popen(
        [sys.executable, "-c", parent], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        child = int(process.stdout.readline())

        process.send_signal(signal.SIGKILL)
        eventually(lambda: not is_alive(child))


@pytest.mark.parametrize("does_nothing", [tied_to_parent, follow_parent])
def test_elsewhere_than_on_linux_it_does_without(monkeypatch, does_nothing):
    monkeypatch.setattr(sys, "platform", "darwin")

    assert does_nothing() is None
