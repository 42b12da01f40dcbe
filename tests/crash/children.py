"""Processes that die on cue, forked from this warm one: each costs milliseconds."""

import os
import posix
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from django.db import OperationalError, connection, connections

from audit import failpoints
from tests.support import survived

#: What happens to a process when it comes to a place.
Fate = Callable[[], None]

_living: "dict[int, Child]" = {}


def kill() -> None:
    """Die here, without a word to anybody."""
    os.kill(os.getpid(), signal.SIGKILL)


def freeze() -> None:
    """Stand still here until somebody wakes this process."""
    os.kill(os.getpid(), signal.SIGSTOP)


def lose_commit() -> None:
    """Let the next COMMIT take place, and its answer get lost."""
    commit = connection._commit  # type: ignore[attr-defined]

    def commit_unheard() -> None:
        del connection._commit  # type: ignore[attr-defined]
        commit()
        raise OperationalError("server closed the connection unexpectedly")

    connection._commit = commit_unheard  # type: ignore[attr-defined]


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a process ended: by which signal (0: none), with which code, and what it said."""

    signal: int
    code: int
    places: list[str]
    trouble: str


class Child:
    """A process of its own that does one thing; ``at`` and ``fate`` say where what happens to it.

    The fate is met once, the first time that the place is reached.
    """

    def __init__(self, act: Callable[[], object], *, at: str = "", fate: Fate = kill) -> None:
        # A connection that two processes share would be closed by the one under the other.
        connections.close_all()
        self._reader, writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._reader)
            _live(act, at, fate, writer)
        os.close(writer)
        _living[self.pid] = self

    def freeze(self) -> None:
        """Let it stand still from outside, wherever it is."""
        os.kill(self.pid, signal.SIGSTOP)
        self.wait_frozen()

    def wait_frozen(self) -> None:
        """Wait until it stands still."""
        _, status = os.waitpid(self.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), f"It ended instead (status {status})."

    def wake(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)
        survived.counted[survived.FREEZES] += 1

    def kill(self) -> None:
        """End it from outside, wherever it is."""
        os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> Ended:
        """Wait for its end."""
        with os.fdopen(self._reader) as said:
            places, _, trouble = said.read().partition("\n\n")
        _, status = os.waitpid(self.pid, 0)
        del _living[self.pid]
        survived.counted[survived.DEATHS] += os.WIFSIGNALED(status)
        return Ended(
            signal=os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
            code=os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0,
            places=places.split(),
            trouble=trouble,
        )


def end_all() -> None:
    """End whoever a failed test has left behind, frozen ones too."""
    for child in list(_living.values()):
        child.kill()
        child.wait()


def _live(act: Callable[[], object], at: str, fate: Fate, writer: int) -> None:
    """The whole life of a child; it never returns.

    What it covers is not measured: writing that down takes longer than all the rest, and what dies
    by a signal could not.
    """
    sys.settrace(None)
    is_met = False

    def listen(place: str) -> None:
        nonlocal is_met
        os.write(writer, f"{place}\n".encode())
        if place == at and not is_met:
            is_met = True
            fate()

    code = 0
    try:
        failpoints.arm(listen)
        act()
    except BaseException:  # noqa: BLE001 - told to the parent, which judges it
        code = 1
        os.write(writer, f"\n{traceback.format_exc()}".encode())
    finally:
        connections.close_all()
        # Not os._exit, which the measurement of coverage has wrapped.
        posix._exit(code)
