"""The processes of the demonstration, each with exactly the environment that it may have."""

import os
import sys
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from django.conf import settings

from config.demo import provider
from config.demo.provider import Provider
from config.embedded.valkey import Valkey
from config.supervisor.service import Plan

#: Never handed on as they are: each process gets its own.
_WITHHELD = ("STRIPE_", "COUNTERSIGN_ROLE", "MAKE", "MFLAGS")

#: Seconds in which a refund that is under way may end properly.
_UNDER_WAY = 20.0


def valkey(server: Valkey) -> Plan:
    """The embedded message broker."""
    return _plan("valkey", server.command(), is_ready=lambda _said: server.is_ready())


def local_stripe(port: int) -> Plan:
    """The local Stripe with its own database; it announces events to the web process."""
    database = settings.COUNTERSIGN_VAR_DIR / "local-stripe.sqlite3"
    options = ["--port", str(port), "--database", str(database), "--seed-demo"]
    options += ["--webhook-url", f"http://127.0.0.1:{settings.PORT}/webhooks/stripe"]
    return _plan(
        "local-stripe",
        [sys.executable, "-m", "executors.stripe.sandbox", *options],
        is_ready=lambda said: bool(provider.ready_line(said)),
    )


def web(running: dict[str, str], stripe: Provider) -> Plan:
    """The API and the admin. It holds the signing key and the read-only provider key.

    It alone can tell an event of Stripe's from a forged one.
    """
    address = f"127.0.0.1:{settings.PORT}"
    options = [
        *("--bind", address, "--worker-class", "gthread", "--workers", "2", "--threads", "8"),
        *("--preload", "--timeout", "60", "--graceful-timeout", "5", "--no-control-socket"),
        *("--access-logfile", "-"),
    ]
    return _plan(
        "web",
        [sys.executable, "-m", "gunicorn", "config.wsgi", *options],
        role="web",
        extra=running | stripe.web_secrets,
        is_ready=lambda _said: _answers(address),
    )


def money_worker(running: dict[str, str], stripe: Provider) -> Plan:
    """Holds the key that moves money, as the loop beside it does, and no other process."""
    options = ["--queues", "money", "--pool", "prefork", "--concurrency", "2"]
    return _worker("money", options, running | {"STRIPE_API_KEY": stripe.worker_key})


def money_loop(running: dict[str, str], stripe: Provider) -> Plan:
    """Finds in the database what the money worker never heard of; it needs no broker."""
    return _plan(
        "loop-money",
        [sys.executable, "manage.py", "work"],
        role="money",
        extra=running | {"STRIPE_API_KEY": stripe.worker_key},
        is_ready=lambda said: "Working every" in said,
        stop_within=_UNDER_WAY,
    )


def default_worker(running: dict[str, str], stripe: Provider) -> Plan:
    """Everything that is not money: reading facts, expiring, sweeping."""
    options = ["--queues", "default", "--pool", "threads", "--concurrency", "4"]
    return _worker("default", options, running | {"STRIPE_READ_KEY": stripe.read_key})


def beat(running: dict[str, str]) -> Plan:
    """The clock of the periodic tasks; a process of its own, because a worker's leaks."""
    schedule = settings.COUNTERSIGN_VAR_DIR / "beat-schedule"
    options = ["--schedule", str(schedule), "--pidfile=", "--loglevel", "INFO"]
    return _plan(
        "beat",
        [sys.executable, "-m", "celery", "-A", "config", "beat", *options],
        role="beat",
        extra=running,
        is_ready=lambda said: "beat: Starting" in said,
    )


def sealer(running: dict[str, str]) -> Plan:
    """Seals the record; it has no key of a provider."""
    return _plan(
        "sealer",
        [sys.executable, "manage.py", "seal"],
        role="sealer",
        extra=running,
        is_ready=lambda said: "Sealing every" in said,
    )


def _worker(role: str, options: list[str], extra: dict[str, str]) -> Plan:
    common = ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    named = ["--hostname", f"{role}@%h"]
    return _plan(
        f"worker-{role}",
        [sys.executable, "-m", "celery", "-A", "config", "worker", *options, *common, *named],
        role=role,
        extra=extra,
        is_ready=lambda said: " ready." in said,
        stop_within=_UNDER_WAY,
    )


def _plan(
    name: str,
    command: list[str],
    *,
    role: str = "",
    extra: dict[str, str] | None = None,
    **options: object,
) -> Plan:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_WITHHELD)}
    roles = {"COUNTERSIGN_ROLE": role} if role else {}
    return Plan(
        name=name,
        command=command,
        environment=kept | (extra or {}) | roles | {"PYTHONUNBUFFERED": "1"},
        directory=Path(settings.BASE_DIR),
        log=settings.COUNTERSIGN_VAR_DIR / "logs" / f"{name}.log",
        **options,  # type: ignore[arg-type]
    )


def _answers(address: str) -> bool:
    connection = HTTPConnection(address, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
