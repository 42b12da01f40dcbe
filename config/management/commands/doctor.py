"""``manage.py doctor``: do the guard rails of this installation hold?"""

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError

from config import doctor

_DOES_NOT_HOLD = 1
_NOT_EXAMINED = 2
_MARKS = {True: "holds", False: "DOES NOT HOLD", None: "not seen"}


class Command(BaseCommand):
    """Makes one call, translates."""

    help = (
        "Says whether the guard rails hold: the triggers on the record, what the role of "
        "DATABASE_URL may do, who can read and write the key files, and what the last "
        "verification of the record said. Run it as the user, and with the environment, of each "
        "process. Changes nothing. Exit codes: 0, all that this user can see holds; 1, something "
        "does not, or the settings let no command start; 2, the database does not answer."
    )
    # It says what they say, and more.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object with all that was looked at"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, say what holds and what does not, and end with its code."""
        try:
            lines = list(doctor.examine())
        except (DatabaseError, InterfaceError) as error:
            raise CommandError(
                f"The database does not answer: {str(error).strip()}", returncode=_NOT_EXAMINED
            ) from error
        holds = all(line.holds is not False for line in lines)
        if options["json"]:
            self.stdout.write(json.dumps({"holds": holds, "lines": [asdict(one) for one in lines]}))
        else:
            for line in lines:
                self.stdout.write(f"{_MARKS[line.holds]}: {line.about}. {line.sentence}")
        if not holds:
            sys.exit(_DOES_NOT_HOLD)
