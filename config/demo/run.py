"""Starts the demonstration, keeps it running, and leaves no process behind."""

import fcntl
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connections

from config import demo_secrets
from config.demo import plans, prepare, provider, screen
from config.demo.provider import Provider
from config.embedded import valkey
from config.environment import ConfigurationError
from config.supervisor.service import Service
from config.supervisor.supervisor import StoppedError, Supervisor

Tell = Callable[[str], None]


def run(tell: Tell, *, started_at: float) -> None:
    """Run until a signal asks to stop; ``started_at`` is when the start began, in Unix time.

    Raises ``ConfigurationError`` or ``ProcessFailedError`` when it cannot start.
    """
    if os.geteuid() == 0:
        tell("Note: you are root. An ordinary user is enough, and safer.")
    var_dir = settings.COUNTERSIGN_VAR_DIR
    prepare.private_directories()
    with only_one(var_dir), ExitStack() as at_end:
        check_port_is_free(settings.PORT)
        at_end.callback(demo_secrets.path(var_dir, demo_secrets.RUNNING).unlink, missing_ok=True)
        try:
            with Supervisor(tell) as supervisor:
                _start(supervisor, tell, at_end, started_at)
                supervisor.watch()
                tell("Stopping ...")
        except StoppedError:
            pass
    tell("Stopped. The data is kept; `make run` goes on with it.")


def _start(supervisor: Supervisor, tell: Tell, at_end: ExitStack, started_at: float) -> None:
    sandbox = provider.given()
    redis_url, broker = _broker(supervisor, at_end)
    stripe_process = None
    if sandbox is None:
        port = provider.choose_port(settings.COUNTERSIGN_VAR_DIR)
        [stripe_process] = supervisor.start(plans.local_stripe(port))
    tell("Preparing the database ...")
    prepare.database()
    supervisor.wait_ready(*broker, *([stripe_process] if stripe_process else []))
    stripe = sandbox or provider.local(stripe_process.said())  # type: ignore[union-attr]
    known = prepare.people_and_facts(stripe)
    connections.close_all()
    running = prepare.environment(redis_url, stripe)
    tell("Starting the web process ...")
    supervisor.wait_ready(*supervisor.start(plans.web(running, stripe)))
    tell(f"{settings.COUNTERSIGN_BASE_URL} answers. Starting the workers ...")
    _start_workers(supervisor, running, stripe)
    seconds = max(0.0, time.time() - started_at)
    tell(screen.ready(known, stripe.payments, settings.COUNTERSIGN_VAR_DIR, seconds=seconds))


def _start_workers(supervisor: Supervisor, running: dict[str, str], stripe: Provider) -> None:
    started = supervisor.start(
        plans.money_worker(running, stripe),
        plans.money_loop(running, stripe),
        plans.default_worker(running, stripe),
        plans.beat(running),
        plans.sealer(running),
    )
    supervisor.wait_ready(*started)


def _broker(supervisor: Supervisor, at_end: ExitStack) -> tuple[str, list[Service]]:
    """The broker's address, and its process when it is the embedded one."""
    if settings.REDIS_URL:
        return settings.REDIS_URL, []
    last = demo_secrets.read(settings.COUNTERSIGN_VAR_DIR, demo_secrets.RUNNING)
    valkey.remove_last(last.get("REDIS_URL", ""))
    server = valkey.prepare(settings.COUNTERSIGN_VAR_DIR / "valkey")
    at_end.callback(shutil.rmtree, server.socket.parent, ignore_errors=True)
    return server.url, supervisor.start(plans.valkey(server))


@contextmanager
def only_one(var_dir: Path) -> Iterator[None]:
    """Hold the directory for this run; raises ``ConfigurationError`` when another run has it."""
    with (var_dir / "run.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                "The demonstration of this clone is already running. Use it, or stop it first; "
                f"its facts are in {var_dir / 'demo.json'}."
            ) from None
        yield


def check_port_is_free(port: int) -> None:
    """Raises ``ConfigurationError`` when the web process could not listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            other = port + 1 if port < 65535 and port >= 1024 else 8000
            raise ConfigurationError(
                f"Port {port} cannot be used ({(error.strerror or '').lower()}). "
                f"Choose another one: make run PORT={other}"
            ) from None
