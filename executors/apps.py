"""The middle floor: carries out signed decisions, and nothing else."""

from django.apps import AppConfig


class ExecutorsConfig(AppConfig):
    """Registers the actions that can be carried out, and what the record proves of them."""

    name = "executors"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Executions"

    def ready(self) -> None:
        """Fill the catalogue, and tell the record how an execution is proven."""
        from audit.evidence import sections
        from audit.log.verification import registered
        from executors import desk, evidence, personal, proof, registry
        from executors.models import Execution
        from executors.stripe.refunds import StripeRefund

        personal.declare_all()
        registry.register(StripeRefund())
        registered.register(Execution, proof.check_executions)
        sections.register(evidence.tell, place=20)
        desk.connect()
