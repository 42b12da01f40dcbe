"""The ground floor: the record and its proof."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    """Wires the one receiver that completes every history row, and the guards of the record."""

    name = "audit"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Record"

    def ready(self) -> None:
        """Connect the receiver; without it a history row has no actor and cannot be saved.

        The triggers come after every migration: by then all floors have their tables.
        """
        from audit import history
        from audit.guards import checks, triggers

        history.connect()
        post_migrate.connect(triggers.ensure, sender=self, dispatch_uid=checks.MISSING)
