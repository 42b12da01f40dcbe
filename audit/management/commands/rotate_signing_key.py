"""``manage.py rotate_signing_key``: make the first signing key, or replace it."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import clock
from audit.errors import KeyFileError
from audit.signing import rotation
from audit.signing.keys import DECISION, LOG


class Command(BaseCommand):
    """Parses, makes one call, translates."""

    help = (
        "Makes a new Ed25519 key, adds its public half to COUNTERSIGN_TRUSTED_KEYS_FILE, then "
        "lets it sign. Decisions signed before go on verifying. Where workers have a copy of the "
        "trusted keys file, copy it to them before the next decision."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--use",
            choices=[DECISION, LOG],
            default=DECISION,
            help="which key: the one for decisions (default) or the one for checkpoints",
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate and say what was made."""
        use = options["use"]
        private = {
            DECISION: settings.COUNTERSIGN_SIGNING_KEY_FILE,
            LOG: settings.COUNTERSIGN_LOG_KEY_FILE,
        }[use]
        trusted = settings.COUNTERSIGN_TRUSTED_KEYS_FILE
        try:
            kid = rotation.rotate(
                private_path=private, trusted_path=trusted, use=use, at=clock.now()
            )
        except KeyFileError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps({"kid": kid, "use": use, "trusted": str(trusted)}))
        else:
            self.stdout.write(f"The key {kid} signs from now on ({use}). Trusted in {trusted}.")
