"""``manage.py harden_database``: the application's role may add to the record, and no more."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit.guards import grants, triggers
from audit.guards.grants import HardeningError
from config import owning
from config.environment import ConfigurationError


class Command(BaseCommand):
    """Parses, makes one call, translates."""

    help = (
        "Gives the role that DATABASE_URL names INSERT and SELECT on the tables of the record and "
        "nothing else there, and what it needs on the other tables. Acts as the owner of the "
        "tables, whom DATABASE_OWNER_URL names; PostgreSQL only. Run it after every migrate. Exit "
        "codes: 0, it holds; 1, it does not, and it says why."
    )
    # The checks of a web process have nothing to say here.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Grant, look whether it holds, and say so."""
        ours = settings.DATABASES["default"]
        if not ours["ENGINE"].endswith(".postgresql"):
            raise CommandError("SQLite has no roles. Set DATABASE_URL to a PostgreSQL database.")
        role = str(ours["USER"])
        try:
            connection = owning.owner_connection()
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        try:
            triggers.install(connection)
            grants.harden(connection, role=role)
            excess = grants.find_excess(connection, role=role)
        except HardeningError as error:
            raise CommandError(str(error)) from error
        finally:
            connection.close()
        if excess:
            raise CommandError(" ".join(excess))
        self.stdout.write(f"The role {role} may insert into the record and read it, and no more.")
