"""``manage.py revoke_signing_key``: what this key signs counts no more."""

import argparse
import json
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import clock
from audit.errors import KeyFileError
from audit.signing import rotation
from audit.signing.keys import DECISION


class Command(BaseCommand):
    """Parses, makes one call, translates."""

    help = (
        "Marks a signing key as compromised in COUNTERSIGN_TRUSTED_KEYS_FILE, as of an instant. "
        "Nothing that it signs is acted upon from now on. Of what it signed before, only what a "
        "checkpoint covers counts that was copied outside before that instant; `manage.py "
        "verify_record` says which that is. Copy the file to every worker; make another key with "
        "`manage.py rotate_signing_key`. Exit codes: 0, it is revoked; 1, it is not; 2, wrong "
        "arguments."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "kid",
            help="the key's id (RFC 7638), as the file names it; write -- before one that begins "
            "with a dash",
        )
        parser.add_argument(
            "--as-of",
            type=_instant,
            metavar="TIME",
            help="since when it may be in wrong hands, such as 2026-11-27T10:00Z; default: now",
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Revoke, and say what to do next."""
        kid, trusted = options["kid"], settings.COUNTERSIGN_TRUSTED_KEYS_FILE
        at = clock.now()
        as_of = options["as_of"] or at
        if as_of > at:
            raise CommandError(
                "--as-of is in the future: what is not yet known is not compromised."
            )
        try:
            use = rotation.revoke(trusted_path=trusted, kid=kid, as_of=as_of)
        except KeyFileError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            said = {
                "kid": kid,
                "use": use,
                "revoked_at": as_of.isoformat(),
                "trusted": str(trusted),
            }
            self.stdout.write(json.dumps(said))
            return
        option = "" if use == DECISION else f" --use {use}"
        self.stdout.write(
            f"The key {kid} ({use}) is revoked as of {as_of.isoformat()} in {trusted}. Copy the "
            "file to every worker and verifier. If it is the one that signs, nothing is signed "
            f"until there is another: `manage.py rotate_signing_key{option}`. Then `manage.py "
            "verify_record --since COPY` says what counts."
        )


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2026-11-27T10:00Z") from None
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} does not say its time zone: add Z for UTC")
    return at
