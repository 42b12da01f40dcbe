"""What the demonstration needs before its processes start: keys, tables, people, payments."""

import io
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import transaction

from approvals import demo
from config import demo_secrets
from config.demo import facts
from config.demo.provider import Provider
from config.environment import ConfigurationError

#: Which of the payments' fields are kept in ``var/demo.json``.
_PAYMENT = ("id", "amount", "currency")


def database() -> None:
    """Bring the tables up to date, and make the keys that sign when there are none."""
    call_command("migrate", interactive=False, verbosity=0)
    for use, file in (
        ("decision", settings.COUNTERSIGN_SIGNING_KEY_FILE),
        ("log", settings.COUNTERSIGN_LOG_KEY_FILE),
    ):
        if not file.exists():
            call_command("rotate_signing_key", use=use, stdout=io.StringIO())


def people_and_facts(stripe: Provider) -> dict[str, Any]:
    """Make the people and the agent once, and write ``var/demo.json``; returns its content.

    Raises ``ConfigurationError`` when the people are there but their passwords are gone.
    """
    var_dir = settings.COUNTERSIGN_VAR_DIR
    known = facts.read(var_dir)
    with transaction.atomic():
        # Written before the commit: passwords that nobody knows must not remain in the database.
        seeded = demo.seed()
        if seeded is not None:
            known["agent_key"] = seeded.agent_key
            known["users"] = {
                name: {"username": name, "password": password}
                for name, password in seeded.passwords.items()
            }
        if "users" not in known:
            raise ConfigurationError(
                f"{facts.path(var_dir)} is gone, and with it the passwords of the demonstration. "
                f"Put it back, or remove {var_dir} to start anew without the old data."
            )
        present = {
            "base_url": settings.COUNTERSIGN_BASE_URL,
            "agent_key": known["agent_key"],
            "users": known["users"],
            "stripe": {"base_url": stripe.base_url, "api_key": stripe.merchant_key},
            "payment_intents": [
                {name: item[name] for name in _PAYMENT} for item in stripe.payments
            ],
        }
        facts.write(var_dir, present)
    return present


def environment(redis_url: str, stripe: Provider) -> dict[str, str]:
    """Write where this run's servers are, so that ``manage.py`` finds them; returns it.

    The keys of the local Stripe go into the files of the roles; those of somebody's sandbox are
    never written down.
    """
    var_dir: Path = settings.COUNTERSIGN_VAR_DIR
    running = {
        "COUNTERSIGN_ENV": "demo",
        "PORT": str(settings.PORT),
        "REDIS_URL": redis_url,
        "STRIPE_API_BASE": stripe.api_base,
    }
    demo_secrets.write(var_dir, running, demo_secrets.RUNNING)
    read_key = {"STRIPE_READ_KEY": stripe.read_key} if stripe.is_local else {}
    worker_key = {"STRIPE_API_KEY": stripe.worker_key} if stripe.is_local else {}
    for role in ("default", "command"):
        demo_secrets.write(var_dir, read_key, role)
    demo_secrets.write(var_dir, stripe.web_secrets if stripe.is_local else {}, "web")
    demo_secrets.write(var_dir, worker_key, "money")
    return running


def private_directories() -> None:
    """Make ``var/`` and its logs; nobody else can look into them."""
    for directory in (settings.COUNTERSIGN_VAR_DIR, settings.COUNTERSIGN_VAR_DIR / "logs"):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
    os.umask(0o077)
