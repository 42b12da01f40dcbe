"""What every process that carries out decisions has: a name, and time limits in their order."""

import faulthandler
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from django.conf import settings

#: Soft, then hard, then the lease: when another worker may take over, this one is dead for sure.
#: The soft limit leaves room for reading the provider (twice 3 s) and for one request to it with
#: its own timeouts (5 + 25 s). A longer look-up that follows is cut, and proves nothing.
SOFT_LIMIT = settings.COUNTERSIGN_LEASE * 0.76
HARD_LIMIT = settings.COUNTERSIGN_LEASE * 0.88


class TimeUpError(Exception):
    """The soft time limit is over; to the executor's callers an error that proves nothing."""


def worker_name() -> str:
    """Return this process's name as the record keeps it: host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"[:120]


@contextmanager
def time_limits(*, soft: float = SOFT_LIMIT, hard: float = HARD_LIMIT) -> Iterator[None]:
    """Hold a block to two limits, in seconds. For the main thread only.

    After ``hard`` the process ends with code 1, whatever it is doing: that timer is outside of
    Python, so that code which never comes back to it cannot outlive the lease.

    Raises:
        TimeUpError: in the midst of the block, after ``soft``.
    """
    before = signal.signal(signal.SIGALRM, _time_up)
    faulthandler.dump_traceback_later(hard, exit=True, file=sys.__stderr__ or sys.stderr)
    others = signal.setitimer(signal.ITIMER_REAL, soft)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *others)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, before)


def _time_up(*_: object) -> NoReturn:
    raise TimeUpError("The soft time limit is over.")
