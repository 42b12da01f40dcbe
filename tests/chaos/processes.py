"""Processes that are started side by side, each with its fate, and looked after without waiting."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

from executors import services
from tests.chaos.steps import Fate, Job
from tests.crash.children import Child, Ended, freeze, kill, lose_commit

#: Seconds after which a process that neither ends nor stands still has hung.
MOST_SECONDS = 60.0
#: How often we look, in seconds; not how long we wait.
_LOOK_EVERY = 0.002
_names = count(1)


@dataclass
class Running:
    """A process and what it was started for."""

    job: Job
    child: Child
    ended: Ended | None = None

    def is_frozen(self) -> bool:
        """Tell whether it stands still; its end is left for ``wait``."""
        return self._news() == os.CLD_STOPPED

    def is_over(self) -> bool:
        """Tell whether it has ended."""
        return self._news() in (os.CLD_EXITED, os.CLD_KILLED, os.CLD_DUMPED)

    def wait(self) -> Ended:
        """Take its end."""
        if self.ended is None:
            self.ended = self.child.wait()
        return self.ended

    def trouble(self) -> str:
        """What it failed of, if that was not its fate."""
        ended = self.wait()
        if ended.signal and self.job.fate not in (Fate.KILL, Fate.KILL_SOON):
            return f"{self.job}: ended by signal {ended.signal}"
        if ended.code and self.job.fate is not Fate.LOSE_COMMIT:
            return f"{self.job}: {ended.trouble}"
        return ""

    def _news(self) -> int:
        what = os.WEXITED | os.WSTOPPED | os.WNOHANG | os.WNOWAIT
        news = os.waitid(os.P_PID, self.child.pid, what)
        return 0 if news is None else news.si_code


def start(job: Job, execution_id: str) -> Running:
    """Start the process of a job."""
    verb = services.reconcile if job.reads else services.run
    worker = f"chaos:{next(_names)}"
    child = Child(
        lambda: verb(execution_id=execution_id, worker=worker), at=job.place, fate=_fate(job)
    )
    return Running(job=job, child=child)


def look_after(running: Sequence[Running]) -> list[Running]:
    """Wait until each has ended or is frozen for longer; returns those that are frozen.

    One that stands still for a moment is woken here, when all the others are on their way.
    """
    waiting = list(running)
    until = time.monotonic() + MOST_SECONDS
    frozen = []
    while waiting:
        for one in list(waiting):
            if one.is_over():
                one.wait()
                waiting.remove(one)
            elif one.is_frozen() and one.job.fate is Fate.STALL:
                one.child.wake()
            elif one.is_frozen():
                frozen.append(one)
                waiting.remove(one)
        if time.monotonic() > until:
            _end(waiting)
            raise AssertionError(f"hung: {'; '.join(str(one.job) for one in waiting)}")
        time.sleep(_LOOK_EVERY)
    return frozen


def wake(frozen: Sequence[Running]) -> None:
    """Let the frozen go on, and wait for their ends."""
    for one in frozen:
        one.child.wake()
    for one in frozen:
        one.wait()


def _end(waiting: Sequence[Running]) -> None:
    for one in waiting:
        one.child.kill()
        one.wait()


def _fate(job: Job) -> Callable[[], None]:
    def die_soon() -> None:
        # Its default action ends the process wherever it is, like SIGKILL: no Python runs.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, max(job.delay, 0.0001))

    return {
        Fate.KILL: kill,
        Fate.KILL_SOON: die_soon,
        Fate.FREEZE: freeze,
        Fate.STALL: freeze,
        Fate.LOSE_COMMIT: lose_commit,
        Fate.NONE: kill,  # there is no place at which it is met
    }[job.fate]
