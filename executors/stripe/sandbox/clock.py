"""The one clock of the local Stripe: every stamp and every age is read from it."""

import threading
import time
from collections.abc import Callable

#: Returns the time in whole seconds since 1970 (UTC), as Stripe's ``created`` fields do.
Clock = Callable[[], int]


def wall_clock() -> int:
    """Return the machine's time in whole seconds since 1970 (UTC)."""
    return int(time.time())


class MovableClock:
    """The machine's time plus whatever it was advanced by: a day passes in no time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead = 0

    def __call__(self) -> int:
        """Return its time in whole seconds since 1970 (UTC)."""
        return wall_clock() + self._ahead

    def advance(self, seconds: int) -> int:
        """Move it forward (never back) and return the time that it shows now.

        Raises:
            ValueError: fewer than 0 seconds.
        """
        if seconds < 0:
            raise ValueError("The clock moves forward only.")
        with self._lock:
            self._ahead += seconds
        return self()
