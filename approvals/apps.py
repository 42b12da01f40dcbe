"""The upper floor: agents ask, people decide."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ApprovalsConfig(AppConfig):
    """Registers with the lower floors what they must ask, and the groups with migrate."""

    name = "approvals"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Approvals"

    def ready(self) -> None:
        """Register what executions ask, what the record proves and shows, and the groups."""
        from approvals import desk, entitlement, evidence, groups, personal, proof
        from approvals.models import Decision
        from audit.evidence import sections
        from audit.log.verification import registered, revoked
        from executors import checks
        from executors.models import Execution

        personal.declare_all()
        registered.register(Decision, proof.check_decisions)
        registered.register(Execution, proof.check_decided)
        revoked.register(Decision)
        checks.register("entitlement", entitlement.check)
        sections.register(evidence.tell, place=10)
        desk.connect()
        post_migrate.connect(groups.ensure, dispatch_uid="approvals.groups")
