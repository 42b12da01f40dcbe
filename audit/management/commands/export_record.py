"""``manage.py export_record``: every row of a period, each with its proof."""

import argparse
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.errors import EvidenceError, KeyFileError
from audit.evidence import export
from audit.evidence.export import Period
from audit.progress import Bar

_NOT_COMPLETE = 3


class Command(BaseCommand):
    """Parses, writes what it is given, translates."""

    help = (
        "Writes every history row of a period as JSON Lines: its bytes, its salt, its leaf and the "
        "proof that it is in the log, all against one signed checkpoint in the first line. Exit "
        "codes: 0, the file is written; 1, a key file or the output cannot be used, or settings "
        "let no command start; 2, wrong arguments; 3, nothing was recorded then, not everything is "
        "sealed, or it is not what was sealed: nothing is written."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        for name, what in (("--from", "the first instant"), ("--until", "the end, not in it")):
            parser.add_argument(
                name,
                type=_instant,
                required=True,
                dest=name[2:],
                metavar="TIME",
                help=f"{what}, such as 2026-11-01T00:00Z",
            )
        parser.add_argument(
            "-o", "--output", type=Path, required=True, metavar="FILE", help="where to write it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file."""
        path, period = options["output"], Period(start=options["from"], end=options["until"])
        try:
            bar = Bar(sys.stderr, export.count_steps(period) if sys.stderr.isatty() else 0)
            _write(path, period, bar)
            bar.clear()
        except EvidenceError as error:
            raise CommandError(str(error), returncode=_NOT_COMPLETE) from error
        except KeyFileError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{path}: {path.stat().st_size} bytes.")


def _write(path: Path, period: Period, bar: Bar) -> None:
    """Write the whole file or none."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(export.export(period, bar.advance))
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2026-11-01T00:00Z") from None
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} does not say its time zone: add Z for UTC")
    return at
