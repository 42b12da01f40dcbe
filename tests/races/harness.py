"""Lets many threads do something at the same moment, round after round."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.db import connection

from tests.support import survived

THREADS = 8
USUAL_ROUNDS = 30
#: The thorough profile has ten times as many on PostgreSQL (see ``tests/run.py``).
ROUNDS = int(os.environ.get("TEST_RACE_ROUNDS", USUAL_ROUNDS))
#: A naive twin loses within a few rounds; this is how long it may be lucky.
PATIENCE = 300

Contestant = Callable[[], Any]

_crowd: list[ThreadPoolExecutor] = []


@contextmanager
def gathered() -> Iterator[None]:
    """Keep the threads, each with its connection, for all rounds of one test.

    Eight new connections in each round would cost more than the round.
    """
    with ThreadPoolExecutor(max_workers=THREADS) as crowd:
        _crowd.append(crowd)
        try:
            yield
        finally:
            race([lambda: connection.close()] * THREADS)  # noqa: PLW0108 (each its own)
            _crowd.clear()


def race(contestants: Sequence[Contestant]) -> list[Any]:
    """Call all of them behind one barrier; returns results and exceptions, in their order."""
    barrier = threading.Barrier(len(contestants))

    def compete(contestant: Contestant) -> Any:
        try:
            connection.ensure_connection()
            barrier.wait()
            return contestant()
        except Exception as error:  # noqa: BLE001 (the test judges it)
            return error

    survived.counted[survived.RACES] += 1
    return list(_crowd[0].map(compete, contestants))


def alternating(*contestants: Contestant) -> list[Contestant]:
    """Share the threads out among the kinds of contestants."""
    return [contestants[number % len(contestants)] for number in range(THREADS)]


def winners(results: Sequence[Any]) -> list[Any]:
    """The results of those that were not refused."""
    return [result for result in results if not isinstance(result, Exception)]


def strange(results: Sequence[Any], *refusals: type[Exception]) -> list[Exception]:
    """The exceptions that are no refusals: faults, which no loser may have."""
    return [r for r in results if isinstance(r, Exception) and not isinstance(r, refusals)]
