"""Child processes that never outlive their parent.

Each child leads a session of its own: a Ctrl-C in the terminal reaches the parent alone, which
then stops its children in order.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1


class ProcessFailedError(Exception):
    """A process did not start or did not become ready; the message names its log."""


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    user: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process whose output is appended to a log file of the same owner.

    ``environment`` replaces the inherited one; ``user`` is a numeric user id, for root only.
    Call this from the main thread: the kernel ties the child to the thread that starts it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 (every command is ours)
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if environment is None else dict(environment),
            cwd=directory,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            start_new_session=True,
            preexec_fn=tied_to_parent(),  # noqa: PLW1509 (our callers have one thread)
        )


def ask_to_stop(process: subprocess.Popen[bytes]) -> None:
    """Send SIGTERM, once: a second one makes some servers drop what they are doing."""
    if process.poll() is None:
        process.terminate()


def finish(process: subprocess.Popen[bytes], *, within: float) -> bool:
    """Wait for a process that was asked to stop; after ``within`` seconds, end it by force.

    What it left behind in its group is ended too. Returns whether it ended by itself.
    """
    try:
        process.wait(within)
        return True
    except subprocess.TimeoutExpired:
        return False
    finally:
        _kill_group(process.pid)
        process.wait()


def tied_to_parent() -> Callable[[], None] | None:
    """What a child must run before its program, so that the kernel ends it with its parent.

    None where the kernel cannot do it (anything but Linux).
    """
    if sys.platform != "linux":
        return None
    prctl = _prctl()
    parent = os.getpid()

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it ended in the meantime, and no signal will come
            os._exit(1)

    return tie


def follow_parent() -> None:
    """Let this process be asked to stop when the one that started it (``make``) ends."""
    if sys.platform == "linux":
        _prctl()(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _prctl() -> Callable[[int, int], int]:
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda option, value: int(prctl(option, value, 0, 0, 0))


def _kill_group(leader: int) -> None:
    """End what a process left behind in its group; usually there is nothing."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
