"""Time limits: an error first, then the end of the process, and both before the lease is over."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from executors import limits
from executors.enums import AttemptClass
from executors.limits import TimeUpError, time_limits
from executors.models import Execution
from executors.stripe import gateway
from executors.working import Loop
from tests.executors.scripted import ScriptedExecutor

ROOT = Path(__file__).resolve().parents[2]

#: Swallows the soft limit and never comes back to Python's own signal handling.
STUBBORN = """
import ctypes, time
import django; django.setup()
from executors.limits import TimeUpError, time_limits
with time_limits(soft=0.1, hard=0.4):
    try:
        time.sleep(60)
    except TimeUpError:
        print("soft", flush=True)
    ctypes.PyDLL(None).sleep(60)
"""


def test_soft_comes_before_hard_and_hard_before_the_end_of_the_lease() -> None:
    assert limits.SOFT_LIMIT < limits.HARD_LIMIT < django_settings.COUNTERSIGN_LEASE


def test_one_request_with_its_readings_fits_into_the_soft_limit() -> None:
    assert 2 * gateway.FACTS_BUDGET + sum(gateway.MONEY_TIMEOUT) < limits.SOFT_LIMIT
    assert gateway.LOOK_UP_BUDGET < limits.SOFT_LIMIT


def test_the_soft_limit_interrupts() -> None:
    started = time.monotonic()
    with pytest.raises(TimeUpError), time_limits(soft=0.1, hard=30):
        time.sleep(30)

    assert time.monotonic() - started < 10


def test_what_ends_in_time_leaves_nothing_behind() -> None:
    before = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)[0] > 0
    with time_limits(soft=20, hard=30):
        pass

    assert before == (
        signal.getsignal(signal.SIGALRM),
        signal.getitimer(signal.ITIMER_REAL)[0] > 0,
    )


def test_the_hard_limit_ends_a_process_that_does_not_listen() -> None:
    started = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", STUBBORN],
        cwd=ROOT,
        env={"COUNTERSIGN_ENV": "test", "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )

    assert (ended.returncode, ended.stdout) == (1, "soft\n")
    assert "Timeout (0:00:00.4" in ended.stderr, "where it hung is in the log"
    assert time.monotonic() - started < 45


@pytest.mark.django_db
def test_a_request_that_the_soft_limit_interrupts_proves_nothing(
    execution: Execution, executor: ScriptedExecutor
) -> None:
    executor.before_sending = lambda: time.sleep(30)

    did = Loop(limits=lambda: time_limits(soft=0.5, hard=30)).round()

    attempt = execution.attempts.get()
    assert did.ran == {execution.pk: "RUNNING"}
    assert (attempt.outcome, "TimeUp" in attempt.error_message) == (AttemptClass.AMBIGUOUS, True)
