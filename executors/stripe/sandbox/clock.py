"""The one clock of the local Stripe: every stamp and every age is read from it."""

import time
from collections.abc import Callable

#: Returns the time in whole seconds since 1970 (UTC), as Stripe's ``created`` fields do.
Clock = Callable[[], int]


def wall_clock() -> int:
    """Return the machine's time in whole seconds since 1970 (UTC)."""
    return int(time.time())
