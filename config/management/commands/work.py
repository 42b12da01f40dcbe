"""``manage.py work``: the worker that needs no broker."""

import argparse
import json
import math
import signal
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import startup
from executors.working import AWAY, Loop


class Command(BaseCommand):
    """Parses, lets the loop run, translates."""

    help = (
        "Carries out what is due, found in the database: no broker is needed. Runs as "
        "COUNTERSIGN_ROLE=money beside the Celery money worker, until SIGTERM or Ctrl-C; what is "
        "under way is finished first. Exit codes: 0, it was stopped, or --once met no trouble; "
        "1, it could not start, --once met some, or its hard time limit was over (let its "
        "supervisor start it again); 2, wrong arguments."
    )
    # The checks of a web process have nothing to say here, and a restart should be quick.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--every",
            type=_seconds,
            default=settings.COUNTERSIGN_SWEEP_EVERY,
            metavar="SECONDS",
            help="how long to wait when nothing is due; default: COUNTERSIGN_SWEEP_EVERY "
            f"({settings.COUNTERSIGN_SWEEP_EVERY})",
        )
        parser.add_argument(
            "--once",
            action="store_true",
            help="work until nothing is due, print as one line of JSON which executions were "
            "refused, ran, read (with their status) and failed, and end",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Check the start, then work; raises ``ConfigurationError``, which ``manage.py`` prints."""
        startup.check_money_role()
        startup.check_people()
        loop = Loop()

        def stop(*_: object) -> None:
            loop.stopping = True

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        if options["once"]:
            self._once(loop)
        else:
            self._say(f"Working every {options['every']:g} s.")
            loop.run(every=options["every"])
            self._say("Stopped.")

    def _once(self, loop: Loop) -> None:
        try:
            done = loop.round()
        except AWAY as error:
            raise CommandError(f"The database does not answer: {error}") from error
        self._say(json.dumps(asdict(done)))
        if done.failed:
            raise CommandError(f"{len(done.failed)} could not be worked on; the log says why.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0.1 to 3600")
    return seconds
