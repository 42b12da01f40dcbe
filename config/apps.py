"""The top floor as a Django app: its commands, and what is checked at every start."""

from django.apps import AppConfig

from config import startup


class CountersignConfig(AppConfig):
    """First in ``INSTALLED_APPS``, so that a wrong environment stops the start before all else."""

    name = "config"

    def ready(self) -> None:
        """Refuse a start that the environment does not allow."""
        startup.check_environment()
