"""``manage.py seal``: the sealer of the record."""

import argparse
import json
import math
import signal
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError

from audit.errors import DamagedLogError, KeyFileError
from audit.log import services
from audit.log.sealing import Loop
from config import startup


class Command(BaseCommand):
    """Parses, lets the loop run, translates."""

    help = (
        "Seals the record: every history row becomes a leaf of the log, and the log is then "
        "signed with the key in COUNTERSIGN_LOG_KEY_FILE. Runs as COUNTERSIGN_ROLE=sealer until "
        "SIGTERM or Ctrl-C. Exit codes: 0, it was stopped, or --once met no trouble; 1, it could "
        "not start, or --once met some; 2, wrong arguments."
    )
    # The checks of a web process have nothing to say here, and a restart should be quick.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--every",
            type=_seconds,
            default=1.0,
            metavar="SECONDS",
            help="how long to wait between two looks; default: 1",
        )
        parser.add_argument(
            "--once",
            action="store_true",
            help="seal what there is, print as one line of JSON how many leaves were added, the "
            "size of the log, and the rows that were refused, and end",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Check the start, then seal; raises ``ConfigurationError``, which ``manage.py`` prints."""
        startup.check_sealer_role()
        startup.check_people()
        if options["once"]:
            self._once()
            return
        loop = Loop()

        def stop(*_: object) -> None:
            loop.stopping = True

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        self._say(f"Sealing every {options['every']:g} s.")
        loop.run(every=options["every"])
        self._say("Stopped.")

    def _once(self) -> None:
        try:
            done = services.seal()
        except (DamagedLogError, KeyFileError) as error:
            raise CommandError(str(error)) from error
        except (DatabaseError, InterfaceError) as error:
            raise CommandError(f"The database does not answer: {error}") from error
        self._say(json.dumps(asdict(done)))
        if done.refused:
            raise CommandError(f"{len(done.refused)} rows are not authentic; the log says which.")

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
