"""The middle floor: carries out signed decisions, and nothing else."""

from django.apps import AppConfig


class ExecutorsConfig(AppConfig):
    """Registers the actions that this installation can carry out, and what evidence they leave."""

    name = "executors"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Executions"

    def ready(self) -> None:
        """Fill the catalogue."""
        from audit.evidence import sections
        from executors import evidence, registry
        from executors.stripe.refunds import StripeRefund

        registry.register(StripeRefund())
        sections.register(evidence.tell, place=20)
