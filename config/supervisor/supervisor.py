"""Starts services in order, keeps them running, and stops them in reverse order."""

import signal
import threading
from collections.abc import Callable
from itertools import chain
from types import FrameType

from config.supervisor.service import Plan, Service

#: How often we look at the processes, in seconds.
_LOOK_EVERY = 0.1


class StoppedError(Exception):
    """A signal asked to stop while something was being started."""


class Supervisor:
    """Used as a context manager: whatever happens in its block, no process is left behind."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._groups: list[list[Service]] = []
        self._stopping = threading.Event()

    def __enter__(self) -> "Supervisor":
        """Take over the signals that ask to stop."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything, what was started last first; what was started together, together."""
        for group in reversed(self._groups):
            for service in group:
                service.ask_to_stop()
            for service in group:
                if not service.finish():
                    name = service.plan.name
                    self._tell(f"The process {name!r} did not stop in time and was killed.")

    def start(self, *plans: Plan) -> list[Service]:
        """Start processes without waiting for them."""
        group: list[Service] = []
        self._groups.append(group)
        for plan in plans:
            service = Service(plan)
            group.append(service)
            service.start()
        return group

    def wait_ready(self, *services: Service) -> None:
        """Wait until all are ready.

        Raises ``ProcessFailedError`` when one fails, ``StoppedError`` when a signal arrives.
        """
        waiting = list(services)
        while waiting:
            waiting = [service for service in waiting if not service.check_started()]
            if waiting:
                self._pause()
        self.check_stopping()

    def watch(self) -> None:
        """Keep every process running until a signal asks to stop."""
        while not self._stopping.is_set():
            for service in chain.from_iterable(self._groups):
                told = service.keep_running()
                if told:
                    self._tell(told)
            self._stopping.wait(_LOOK_EVERY)

    def check_stopping(self) -> None:
        """Raise ``StoppedError`` when a signal has asked to stop."""
        if self._stopping.is_set():
            raise StoppedError

    def _pause(self) -> None:
        self._stopping.wait(_LOOK_EVERY)
        self.check_stopping()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping.set()
