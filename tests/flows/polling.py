"""Waiting for something that another process does: looked at often, and never for ever."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

#: How often we look, in seconds; not how long we wait.
_LOOK_EVERY = 0.05
#: For what never comes. How fast it comes is no matter of a test, so a busy machine has time.
_PATIENCE = 90.0


def wait_until(look: Callable[[], Found], what: str, *, seconds: float = _PATIENCE) -> Found:
    """Look until it finds something true, and return that; fail after so many seconds."""
    until = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > until:
            raise AssertionError(f"Waited {seconds:g} s in vain for {what}; last seen: {found!r}")
        time.sleep(_LOOK_EVERY)
