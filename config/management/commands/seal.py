"""``manage.py seal``: the sealer of the record."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, InterfaceError

from audit.anchoring import services as anchoring
from audit.anchoring.copying import Copying
from audit.anchoring.targets import Target
from audit.errors import AnchorError, DamagedLogError, KeyFileError
from audit.log import services
from audit.log.sealing import Loop
from config import anchor, startup
from config.management.looping import LoopCommand, seconds, stop_on_signals


class Command(LoopCommand):
    """Parses, lets the loop run, translates."""

    help = (
        "Seals the record: every history row becomes a leaf of the log, and the log is then "
        "signed with the key in COUNTERSIGN_LOG_KEY_FILE. Copies each checkpoint to "
        "COUNTERSIGN_ANCHOR, if that is set; nothing waits for the copies. Runs as "
        "COUNTERSIGN_ROLE=sealer until "
        "SIGTERM or Ctrl-C. Exit codes: 0, it was stopped, or --once met no trouble; 1, it could "
        "not start, or --once met some; 2, wrong arguments."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--every",
            type=seconds,
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
        stop_on_signals(loop)
        self.say(f"Sealing every {options['every']:g} s.")
        target = anchor.target()
        copying = None if target is None else Copying(target)
        if copying is not None:
            copying.start()
        loop.run(every=options["every"])
        if copying is not None:
            copying.stop()
        self.say("Stopped.")

    def _once(self) -> None:
        target = anchor.target()
        try:
            done = services.seal()
        except (DamagedLogError, KeyFileError) as error:
            raise CommandError(str(error)) from error
        except (DatabaseError, InterfaceError) as error:
            raise CommandError(f"The database does not answer: {error}") from error
        self.say(json.dumps(asdict(done)))
        if target is not None:
            _copy(target)
        if done.refused:
            raise CommandError(f"{len(done.refused)} rows are not authentic; the log says which.")


def _copy(target: Target) -> None:
    try:
        anchoring.copy_new(target)
    except AnchorError as error:
        raise CommandError(f"It is sealed, and not copied outside: {error}") from error
