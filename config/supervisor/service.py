"""One process that is kept running."""

import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from config.processes import ProcessFailedError, ask_to_stop, finish, spawn

#: Seconds until a process that ended is started again: doubled each time, up to the most.
_FIRST_BACKOFF = 0.5
_MOST_BACKOFF = 30.0
#: A process that ran this long is healthy; its next end starts at the first backoff again.
_HEALTHY_AFTER = 60.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to run, with exactly the environment that it may have."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    directory: Path
    log: Path
    #: Tells from what it has written since its start whether it can do its work now.
    is_ready: Callable[[str], bool]
    ready_within: float = 30.0
    stop_within: float = 10.0


class Service:
    """The process of a plan, and when it may be started again after it ended."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._log_start = 0
        self._backoff = _FIRST_BACKOFF
        self._restart_at: float | None = None

    def start(self) -> None:
        """Start the process; it is not necessarily ready when this returns."""
        log = self.plan.log
        self._log_start = log.stat().st_size if log.exists() else 0
        self._started_at = time.monotonic()
        self._process = spawn(
            self.plan.command,
            log=log,
            environment=self.plan.environment,
            directory=self.plan.directory,
        )
        self._restart_at = None

    def said(self) -> str:
        """What its log holds since its last start."""
        with self.plan.log.open("rb") as stream:
            stream.seek(self._log_start)
            return stream.read().decode(errors="replace")

    def check_started(self) -> bool:
        """Tell whether it is ready.

        Raises ``ProcessFailedError`` when it ended or takes too long.
        """
        name, log = self.plan.name, self.plan.log
        code = self._process.poll() if self._process else None
        if code is not None:
            raise ProcessFailedError(
                f"The process {name!r} ended while it was starting (code {code}). "
                f"Its log {log} ends with: {_last_line(self.said())}"
            )
        if self.plan.is_ready(self.said()):
            return True
        if time.monotonic() - self._started_at > self.plan.ready_within:
            raise ProcessFailedError(
                f"The process {name!r} was not ready after {self.plan.ready_within:.0f} s. "
                f"Its log is {log}."
            )
        return False

    def keep_running(self) -> str | None:
        """Start the process again when it ended and its time has come; returns what to tell."""
        if self._restart_at is not None:
            if time.monotonic() >= self._restart_at:
                self.start()
            return None
        code = self._process.poll() if self._process else None
        if code is None:
            return None
        if time.monotonic() - self._started_at > _HEALTHY_AFTER:
            self._backoff = _FIRST_BACKOFF
        pause, self._backoff = self._backoff, min(2 * self._backoff, _MOST_BACKOFF)
        self._restart_at = time.monotonic() + pause
        return (
            f"The process {self.plan.name!r} ended (code {code}); it is started again in "
            f"{pause:g} s. Its log is {self.plan.log}."
        )

    def ask_to_stop(self) -> None:
        """Let it begin to end, without waiting for it."""
        if self._process is not None:
            ask_to_stop(self._process)

    def finish(self) -> bool:
        """Wait for its end, and force it when it takes too long; returns whether it was not."""
        if self._process is None:
            return True
        return finish(self._process, within=self.plan.stop_within)


def _last_line(text: str, most: int = 300) -> str:
    lines = (line.strip()[:most] for line in reversed(text.splitlines()))
    return next(filter(None, lines), "(nothing)")
