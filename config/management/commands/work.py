"""``manage.py work``: the worker that needs no broker."""

import json
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from config import startup
from config.management.looping import LoopCommand, seconds, stop_on_signals
from executors.working import AWAY, Loop


class Command(LoopCommand):
    """Parses, lets the loop run, translates."""

    help = (
        "Carries out what is due, found in the database: no broker is needed. Runs as "
        "COUNTERSIGN_ROLE=money beside the Celery money worker, until SIGTERM or Ctrl-C; what is "
        "under way is finished first. Exit codes: 0, it was stopped, or --once met no trouble; "
        "1, it could not start, --once met some, or its hard time limit was over (let its "
        "supervisor start it again); 2, wrong arguments."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--every",
            type=seconds,
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
        stop_on_signals(loop)
        if options["once"]:
            self._once(loop)
        else:
            self.say(f"Working every {options['every']:g} s.")
            loop.run(every=options["every"])
            self.say("Stopped.")

    def _once(self, loop: Loop) -> None:
        try:
            done = loop.round()
        except AWAY as error:
            raise CommandError(f"The database does not answer: {error}") from error
        self.say(json.dumps(asdict(done)))
        if done.failed:
            raise CommandError(f"{len(done.failed)} could not be worked on; the log says why.")
