"""What the commands have in common that go on until somebody stops them."""

import argparse
import math
import signal
from typing import Protocol

from django.core.management.base import BaseCommand


class Loop(Protocol):
    """Something that looks for work until it is told to stop, and finishes what it has begun."""

    stopping: bool


class LoopCommand(BaseCommand):
    """Says its lines at once, so that a supervisor or a test can wait for them."""

    # The checks of a web process have nothing to say here, and a restart should be quick.
    requires_system_checks: list[str] = []

    def say(self, line: str) -> None:
        """Print a line."""
        self.stdout.write(line)
        self.stdout.flush()


def stop_on_signals(loop: Loop) -> None:
    """Let SIGTERM and Ctrl-C end a loop in order."""

    def stop(*_: object) -> None:
        loop.stopping = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


def seconds(text: str) -> float:
    """Read how long to pause, as an argument of a command."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0.1 <= number <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0.1 to 3600")
    return number
