"""``manage.py erase``: personal data goes, the proofs stay."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from audit import actors
from audit.erasure import services
from audit.erasure.services import ErasureError, Plan
from audit.visible import plain
from config import owning
from config.environment import ConfigurationError


class Command(BaseCommand):
    """Parses, makes one call, translates."""

    help = (
        "Erases the personal data of one request (req_…), of one refused attempt (refusal:NUMBER) "
        "or of one person (user:NUMBER): the columns that may hold it, the bytes and salts of the "
        "rows of the record, the text of the decision's token. Digests, leaves and proofs stay, "
        "and the record says who erased it and why. It cannot be undone. Acts as the owner of the "
        "tables, whom DATABASE_OWNER_URL names on PostgreSQL. Exit codes: 0, it is erased, or the "
        "list is printed; 1, nothing was erased, and it says why."
    )
    # The checks of a web process have nothing to say here.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("target", help="req_…, refusal:NUMBER or user:NUMBER")
        parser.add_argument(
            "--reason",
            required=True,
            help="why, without personal data: it stays in the record for ever",
        )
        parser.add_argument(
            "--by", required=True, metavar="USERNAME", help="the account of who erases it"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="list what would go, and change nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Erase or list, and say so."""
        try:
            with owning.acting_as_owner():
                self._handle(options)
        except (ErasureError, ConfigurationError) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(
                f"Nothing was erased. The database refused it: {str(error).strip()}. On "
                "PostgreSQL DATABASE_OWNER_URL must name the owner of the tables."
            ) from error

    def _handle(self, options: dict[str, Any]) -> None:
        users = get_user_model()._default_manager
        person: Any = users.filter(username=options["by"], is_active=True).first()
        if person is None:
            raise ErasureError(f"There is no active account {options['by']!r}.")
        target, reason = options["target"], options["reason"]
        if options["dry_run"]:
            self._list(services.plan(target))
            return
        erasure = services.erase(target, actor=actors.person(person), reason=reason)
        rows = sum(map(len, erasure.rows.values()))
        others = sum(map(len, erasure.others.values()))
        self.stdout.write(
            f"{erasure.pk}: {plain(target)} is erased: {rows} history rows and {others} others. "
            "The erasure is in the record under your name. Copies elsewhere are yours to erase: "
            "backups, logs, evidence files, the provider."
        )

    def _list(self, plan: Plan) -> None:
        for part in plan.parts:
            keys = ", ".join(str(row.pk) for row in part.rows)
            self.stdout.write(f"{part.table}: {', '.join(part.columns)} of {keys}")
        self.stdout.write("Nothing was changed.")
