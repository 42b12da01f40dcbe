"""The ground floor: the record and its proof."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Wires the one receiver that completes every history row."""

    name = "audit"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Record"

    def ready(self) -> None:
        """Connect the receiver; without it a history row has no actor and cannot be saved."""
        from audit import history

        history.connect()
