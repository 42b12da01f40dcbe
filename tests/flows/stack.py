"""A whole installation: web, workers, beat, broker, database and local Stripe, all real.

Each role gets exactly what it gets in production: the web process the signing key and a key that
only reads, the money worker the key that moves money and no way to the signing key.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from config.embedded import valkey
from config.embedded.valkey import Valkey
from config.processes import ProcessFailedError
from executors.stripe.sandbox.process import RunningSandbox, running_sandbox
from tests.flows.parts import ROOT, Part, free_port, is_answering

#: What a developer's shell may hold, and no process of a stack must see.
_WITHHELD = ("COUNTERSIGN_", "STRIPE_", "TEST_", "DJANGO_")
_WITHHELD_NAMES = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "PORT", "ALLOWED_HOSTS"}

_CELERY = [sys.executable, "-m", "celery", "-A", "config"]
_WORKER = [*_CELERY, "worker", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
_POOLS = {
    "money": ["--pool", "prefork", "--concurrency", "2"],
    "default": ["--pool", "threads", "--concurrency", "4"],
}
_GUNICORN = [sys.executable, "-m", "gunicorn", "config.wsgi", "--worker-class", "gthread"]


@dataclass(kw_only=True)
class Stack:
    """Where everything is, and its processes by name."""

    directory: Path
    database_url: str
    stripe: RunningSandbox
    broker: Valkey
    #: Settings of every process, beside those of its role.
    settings: Mapping[str, str]
    web_options: list[str]
    #: Where the money worker finds Stripe, when something stands between the two.
    worker_stripe_base: str = ""
    parts: dict[str, Part] = field(default_factory=dict)
    base_url: str = ""

    def environment(self, role: str, **extra: str) -> dict[str, str]:
        """What the process of a role may know, and nothing else."""
        keys = {
            "web": {
                "COUNTERSIGN_SIGNING_KEY_FILE": str(self.directory / "web" / "signing.pem"),
                "STRIPE_READ_KEY": self.stripe.read_key,
                "STRIPE_WEBHOOK_SECRET": self.stripe.webhook_secret,
            },
            "money": {
                "STRIPE_API_KEY": self.stripe.worker_key,
                "STRIPE_API_BASE": self.worker_stripe_base or self.stripe.base_url,
            },
            "default": {"STRIPE_READ_KEY": self.stripe.read_key},
        }
        return {
            **_inherited(),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONUNBUFFERED": "1",
            "COUNTERSIGN_ENV": "test",
            "COUNTERSIGN_ROLE": role,
            "COUNTERSIGN_VAR_DIR": str(self.directory / role),
            "COUNTERSIGN_TRUSTED_KEYS_FILE": str(self.directory / "trusted.json"),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.broker.url,
            "STRIPE_API_BASE": self.stripe.base_url,
            **keys.get(role, {}),
            **self.settings,
            **extra,
        }

    def python(self, *arguments: str, role: str = "web") -> str:
        """Run Python in the environment of a role and return what it printed."""
        result = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment(role),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if result.returncode:
            raise ProcessFailedError(f"{arguments}: {result.stdout}{result.stderr}"[-3000:])
        return result.stdout

    @contextmanager
    def without(self, name: str) -> Iterator[Part]:
        """Stop a process for the length of a block, then start it again and wait for it."""
        part = self.parts[name]
        part.stop()
        try:
            yield part
        finally:
            part.start()
            part.wait_ready()

    @contextmanager
    def another(self, name: str, *command: str, **settings: str) -> Iterator[Part]:
        """Run a process like the one of this name, with other settings or another command."""
        like = self.parts[name]
        part = replace(
            like,
            command=list(command) or like.command,
            environment={**like.environment, **settings},
            log=self.directory / f"{name}-2.log",
            process=None,
        )
        part.start()
        try:
            part.wait_ready()
            yield part
        finally:
            part.stop()

    @contextmanager
    def another_web(self, **settings: str) -> Iterator[str]:
        """Run a second web process with other settings; yields its address."""
        part, base_url = self._web("web-2", **settings)
        part.start()
        try:
            part.wait_ready()
            yield base_url
        finally:
            part.stop()

    def plan(self) -> None:
        """Describe every process; none is started."""
        ready = self.broker.is_ready
        self._add("broker", self.broker.command(), lambda _said: ready())
        self.parts["web"], self.base_url = self._web("web")
        for role, pool in _POOLS.items():
            command = [*_WORKER, "--queues", role, *pool, "--hostname", f"{role}@stack"]
            self._add(role, command, lambda said: " ready." in said)
        loop = [sys.executable, "manage.py", "work", "--every", "1"]
        self._add("loop", loop, lambda said: "Working every" in said, role="money")
        schedule = ["--schedule", str(self.directory / "beat-schedule"), "--pidfile="]
        beat = [*_CELERY, "beat", *schedule, "--loglevel", "INFO"]
        self._add("beat", beat, lambda said: "beat: Starting" in said)

    def start(self, *names: str) -> None:
        """Start processes together, and wait until each is ready."""
        for name in names:
            self.parts[name].start()
        for name in names:
            self.parts[name].wait_ready()

    def stop(self) -> None:
        """Stop everything that runs; the broker last, for the others speak to it when they end."""
        for name, part in self.parts.items():
            if name != "broker":
                part.ask_to_stop()
        for part in reversed(self.parts.values()):
            part.stop()

    def _web(self, name: str, **settings: str) -> tuple[Part, str]:
        address = f"127.0.0.1:{free_port()}"
        command = [*_GUNICORN, "--bind", address, "--no-control-socket", *self.web_options]
        environment = self.environment("web", COUNTERSIGN_BASE_URL=f"http://{address}", **settings)
        log = self.directory / f"{name}.log"
        part = Part(name, command, environment, log, lambda _said: is_answering(address))
        return part, f"http://{address}"

    def _add(
        self, name: str, command: list[str], is_ready: Callable[[str], bool], role: str = ""
    ) -> None:
        log = self.directory / f"{name}.log"
        self.parts[name] = Part(name, command, self.environment(role or name), log, is_ready)


@contextmanager
def money_in_other_hands(stack: Stack, **settings: str) -> Iterator[Part]:
    """Let a money worker with other settings do the work for the length of a block.

    It is yielded before it is started: only then does anything in the queue move.
    """
    with stack.without("money"):
        command = [*_WORKER, "--queues", "money", "--pool", "prefork", "--concurrency", "4"]
        part = Part(
            "money-2",
            [*command, "--hostname", "money-2@stack"],
            stack.environment("money", **settings),
            stack.directory / "money-2.log",
            lambda said: " ready." in said,
        )
        try:
            yield part
        finally:
            part.stop()


@contextmanager
def prepared_stack(
    directory: Path,
    database_url: str,
    *,
    settings: Mapping[str, str] | None = None,
    web_options: list[str] | None = None,
) -> Iterator[Stack]:
    """A stack with its directories, broker address and local Stripe; nothing else is started."""
    for role in ("web", "money", "default", "beat", "broker"):
        (directory / role / "static").mkdir(parents=True)
    with ExitStack() as at_end:
        stripe = at_end.enter_context(running_sandbox(directory / "stripe.sqlite3"))
        broker = valkey.prepare(directory / "valkey")
        at_end.callback(shutil.rmtree, broker.socket.parent)
        stack = Stack(
            directory=directory,
            database_url=database_url,
            stripe=stripe,
            broker=broker,
            settings=settings or {},
            web_options=web_options or ["--workers", "1", "--threads", "8"],
        )
        at_end.callback(stack.stop)
        yield stack


def _inherited() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_WITHHELD) and name not in _WITHHELD_NAMES
    }
