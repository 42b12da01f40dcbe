"""``manage.py evidence``: one file that proves what happened to a request."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.errors import EvidenceError, KeyFileError, NoSuchSubjectError
from audit.evidence import package

_UNKNOWN = 2
_NOT_COMPLETE = 3


class Command(BaseCommand):
    """Parses, makes one call, translates."""

    help = (
        "Writes the evidence file about a request: a zip with a page to read, the same as JSON, "
        "the signed decision, every history row with its proof, the signed checkpoint, the public "
        "keys and a verifier. Check it with audit/verifier.py. Needs COUNTERSIGN_SIGNING_KEY_FILE, "
        "and so runs as the user of the web process. Exit codes: 0, written; 1, a key file or the "
        "output cannot be used, or the settings let no command start; 2, the record tells of no "
        "such request; 3, not everything about it is sealed, or it is not what was sealed: nothing "
        "is written."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("id", help="the request, such as req_…")
        parser.add_argument(
            "-o", "--output", type=Path, required=True, metavar="FILE", help="where to write it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the file, write it, say what to do with it."""
        subject, path = options["id"], options["output"]
        try:
            data = package.make(subject)
            _write(path, data)
        except NoSuchSubjectError as error:
            raise CommandError(str(error), returncode=_UNKNOWN) from error
        except EvidenceError as error:
            raise CommandError(str(error), returncode=_NOT_COMPLETE) from error
        except KeyFileError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        self.stdout.write(
            f"{path}: {len(data)} bytes. Check it with `python audit/verifier.py {path} --key …`, "
            "once for each key that you know from elsewhere."
        )


def _write(path: Path, data: bytes) -> None:
    """Write the whole file or none: half a file would look like one that was tampered with."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
