"""Named places between two durable facts, at which a process may die.

In a running installation nothing happens there: ``reached`` tells whoever is armed, and nothing but
a test arms anybody. They let a test ask what becomes of the money when a process dies exactly here.
The page of the executors lists them, with the test that shows each.
"""

from collections.abc import Callable

_armed: Callable[[str], None] | None = None


def reached(name: str) -> None:
    """Say that this process has come to a place; the name is ``what:became``."""
    if _armed is not None:
        _armed(name)


def arm(listener: Callable[[str], None] | None) -> None:
    """Let ``listener`` hear of every place from now on, in this process; None ends that."""
    global _armed  # noqa: PLW0603 - one process has one fate
    _armed = listener
