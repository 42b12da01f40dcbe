"""The upper floor: agents ask, people decide."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ApprovalsConfig(AppConfig):
    """Registers with the lower floors what they must ask, and the groups with migrate."""

    name = "approvals"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Approvals"

    def ready(self) -> None:
        """Register the check that executions ask before they run, the groups, and evidence."""
        from approvals import entitlement, evidence, groups
        from audit.evidence import sections
        from executors import checks

        checks.register("entitlement", entitlement.check)
        sections.register(evidence.tell, place=10)
        post_migrate.connect(groups.ensure, dispatch_uid="approvals.groups")
