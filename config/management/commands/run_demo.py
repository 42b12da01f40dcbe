"""``manage.py run_demo``: what ``make run`` calls once everything is installed."""

import os
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config.demo.run import run
from config.demo_secrets import SUPERVISOR
from config.environment import ConfigurationError
from config.processes import ProcessFailedError, follow_parent


class Command(BaseCommand):
    """Makes one call, translates its errors."""

    help = "Starts the demonstration: database, broker, local Stripe, web and workers."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until Ctrl-C; raises ``ConfigurationError``, which ``manage.py`` prints."""
        if (settings.COUNTERSIGN_ENV, settings.COUNTERSIGN_ROLE) != ("demo", SUPERVISOR):
            raise ConfigurationError("The demonstration starts with `make run`.")
        if "MAKELEVEL" in os.environ:
            follow_parent()
        try:
            # Make says when it began: what it installed first belongs to the start.
            run(self._tell, started_at=float(os.environ.get("STARTED_AT") or time.time()))
        except ProcessFailedError as error:
            raise ConfigurationError(str(error)) from error
        except OSError as error:
            raise ConfigurationError(f"{error.filename}: {error.strerror}.") from error

    def _tell(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()
