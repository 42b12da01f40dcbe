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
        from audit import history, words
        from audit.erasure import declared
        from audit.erasure.services import EventType
        from audit.guards import checks, triggers
        from audit.models import (
            Anchored,
            Checkpoint,
            Erasure,
            Leaf,
            LogTile,
            Subject,
            VerificationRun,
        )

        declared.declare(Subject, kept=("id",))
        declared.declare(Leaf, kept=("table", "entry"))
        declared.declare(LogTile, kept=("root",))
        declared.declare(Checkpoint, kept=("root", "note"))
        declared.declare(Anchored, kept=("anchor",))
        declared.declare(
            Erasure,
            kept=("id", "subject", "target", "reason", "erased_by", "rows", "others"),
        )
        declared.declare(VerificationRun, kept=("problem", "lines", "findings_sha256", "counts"))
        words.register(EventType)
        history.connect()
        post_migrate.connect(triggers.ensure, sender=self, dispatch_uid=checks.MISSING)
