"""``manage.py verify_record``: does the database still hold what was recorded?"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.log.verification import run, services
from audit.log.verification.findings import Finding, Tally
from audit.models import Erasure
from audit.progress import Bar
from audit.visible import plain

_FOUND = 1
_NOT_VERIFIED = 2


class Command(BaseCommand):
    """Parses, makes one call, translates."""

    help = (
        "Verifies the record: each history row against its bytes, its HMAC and its leaf; the log "
        "against its leaves and what was signed; the numbers of each subject; each current row "
        "against its history; each decision token, and each execution against its token and its "
        "receipt. Changes nothing, unless told to keep the result, and holds up nobody. Needs "
        "COUNTERSIGN_HISTORY_KEY and COUNTERSIGN_TRUSTED_KEYS_FILE. Prints one finding a line: "
        "kind, table:row, sentence. An erasure is "
        "a line of the kind erased, and no finding. Exit codes: 0, all is good; 1, there are "
        "findings, or the settings let no command start; 2, it could not be verified, or not to "
        "the end."
    )
    # The checks of a web process have nothing to say here.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--since",
            type=Path,
            metavar="FILE",
            help="an older checkpoint, kept outside the database, or the file of an anchor with "
            "all of them: the log must begin with each",
        )
        parser.add_argument(
            "--keep",
            action="store_true",
            help="keep the result for the admin, as the daily run does; findings are an alarm",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="print each finding, and at the end what was looked at, as a line of JSON",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify, print what is found as it is found, and end with its code."""
        tally = Tally()
        try:
            self._verify(tally, options)
        # Whatever it was: no verification must never look like findings, or like none.
        except Exception as error:
            raise CommandError(
                f"The record was not verified, or not to the end: {error}",
                returncode=_NOT_VERIFIED,
            ) from error
        if tally.findings:
            sys.exit(_FOUND)

    def _verify(self, tally: Tally, options: dict[str, Any]) -> None:
        since: Path | None = options["since"]
        copy = None if since is None else since.read_bytes().decode()
        verify = services.verify_and_keep if options["keep"] else run.verify
        bar = Bar(sys.stderr, run.count_steps() if sys.stderr.isatty() else 0)
        tally.advance = bar.advance
        for line in self._lines(tally, verify(tally, since=copy), as_json=options["json"]):
            bar.clear()
            self.stdout.write(line)
            self.stdout.flush()

    def _lines(self, tally: Tally, found: Iterator[Finding], *, as_json: bool) -> Iterator[str]:
        for finding in found:
            yield json.dumps(asdict(finding)) if as_json else plain(finding.text)
        if not as_json:
            yield from tally.notes
        for erasure, (sentence, rows) in tally.erasures.items():
            yield _erased(erasure, f"{sentence} ({rows} history rows).", as_json=as_json)
        yield json.dumps(tally.counts) if as_json else _last_sentence(tally)


def _erased(erasure: str, sentence: str, *, as_json: bool) -> str:
    """Return the line about an erasure, in the form of a finding, which it is not."""
    line = Finding(kind="erased", table=Erasure._meta.db_table, row=erasure, sentence=sentence)
    return json.dumps(asdict(line)) if as_json else plain(line.text)


def _last_sentence(tally: Tally) -> str:
    found = {0: "No findings", 1: "1 finding"}.get(tally.findings, f"{tally.findings} findings")
    return (
        f"{found} in {tally.rows} history rows ({tally.waiting} wait for their leaf), "
        f"{tally.leaves} leaves of a log of {tally.size}, {tally.checkpoints} checkpoints, "
        f"{tally.subjects} subjects, {tally.current} current rows and {tally.tokens} tokens."
    )
