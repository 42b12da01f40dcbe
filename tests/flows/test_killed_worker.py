"""Celery's money worker is killed within its call: one refund, and how soon is told."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.conftest import SETTINGS, World
from tests.flows.parts import Part
from tests.flows.polling import wait_until
from tests.flows.stack import money_in_other_hands
from tests.flows.test_interrupted_worker import HANG, LEASE, Interrupted
from tests.support import survived

#: Seconds from a death to the next request: the lease of whoever died, and the next sweep.
ALLOWED = int(LEASE["COUNTERSIGN_LEASE"]) + int(SETTINGS["COUNTERSIGN_SWEEP_EVERY"])


@pytest.fixture
def worker(world: World) -> Iterator[Part]:
    """A money worker with a short lease; it runs."""
    with money_in_other_hands(world.stack, **LEASE) as worker:
        worker.start()
        worker.wait_ready()
        yield worker


@pytest.fixture
def waiting(world: World, worker: Part) -> Interrupted:
    """A refund whose request has arrived at the local Stripe, which says nothing."""
    world.script_faults(HANG)
    refund = Interrupted(world)
    world.wait_for_faults()
    return refund


def children_of(process_id: int) -> list[int]:
    """The processes of a worker's pool."""
    tasks = Path(f"/proc/{process_id}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def check(waiting: Interrupted, died_at: float) -> None:
    waiting.check_one_refund()
    survived.recoveries.append((time.monotonic() - died_at, ALLOWED))
    assert waiting.tries() == [("AMBIGUOUS", "worker_lost"), ("DONE", "")]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda it: it.name)
def test_a_process_of_the_pool_that_is_killed_is_followed_by_one_refund(
    number: signal.Signals, waiting: Interrupted
) -> None:
    died_at = time.monotonic()
    waiting.signal(number)

    check(waiting, died_at)


def test_a_worker_that_is_killed_whole_is_followed_by_one_refund(
    waiting: Interrupted, worker: Part
) -> None:
    assert worker.process is not None
    pool = children_of(worker.process.pid)
    died_at = time.monotonic()
    # The parent first, or it would put others in the place of those that die.
    worker.signal(signal.SIGKILL)
    for child in pool:
        os.kill(child, signal.SIGKILL)
    worker.process.wait(timeout=10)
    wait_until(lambda: not any(Path(f"/proc/{child}/exe").exists() for child in pool), "their end")

    worker.start()

    assert len(pool) >= 4
    check(waiting, died_at)
