"""``run_demo`` translates what goes wrong into a sentence."""

import signal
import time

import pytest
from django.core.management import call_command

from config.demo import run
from config.environment import ConfigurationError
from config.management.commands import run_demo
from config.processes import ProcessFailedError
from config.supervisor.supervisor import Supervisor
from tests.config.test_processes import eventually

pytestmark = pytest.mark.embedded


@pytest.fixture
def in_make(settings, monkeypatch):
    settings.COUNTERSIGN_ENV = "demo"
    settings.COUNTERSIGN_ROLE = "supervisor"
    monkeypatch.delenv("MAKELEVEL", raising=False)


def test_elsewhere_it_says_how_to_start():
    with pytest.raises(ConfigurationError, match="starts with `make run`"):
        call_command("run_demo")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ProcessFailedError("The process 'web' ended."), "The process 'web' ended."),
        (OSError(28, "No space left on device", "/var"), "/var: No space left on device."),
    ],
)
def test_what_fails_is_a_sentence(in_make, monkeypatch, error, sentence):
    def fail(_tell, **_):
        raise error

    monkeypatch.setattr(run_demo, "run", fail)

    with pytest.raises(ConfigurationError, match=f"^{sentence}$"):
        call_command("run_demo")


def test_what_it_tells_is_shown_at_once(in_make, monkeypatch, capsys):
    monkeypatch.setattr(run_demo, "run", lambda tell, **_: tell("It runs."))

    call_command("run_demo")

    assert capsys.readouterr().out == "It runs.\n"


def test_the_start_is_counted_from_when_make_began(in_make, monkeypatch):
    told = []
    monkeypatch.setattr(run_demo, "run", lambda tell, *, started_at: told.append(started_at))
    before = time.time()

    call_command("run_demo")
    monkeypatch.setenv("STARTED_AT", "1766000000")
    call_command("run_demo")

    assert before <= told[0] <= time.time()
    assert told[1] == 1766000000


def test_a_broker_that_is_given_is_used(settings):
    settings.REDIS_URL = "redis://elsewhere/0"

    assert run._broker(Supervisor(print), None) == ("redis://elsewhere/0", [])


@pytest.mark.process
def test_ctrl_c_while_it_starts_leaves_no_process(one_demonstration):
    one_demonstration.launch()
    eventually(lambda: "Preparing the database" in one_demonstration.said)

    one_demonstration.end(signal.SIGINT)

    assert one_demonstration.process.returncode == 0
    assert one_demonstration.children() == {}
    assert "Traceback" not in one_demonstration.said
