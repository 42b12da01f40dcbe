"""Which Stripe the demonstration talks to: the local one, or a sandbox whose keys were given."""

import json
import os
import socket
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.demo import facts
from config.environment import ConfigurationError

_SANDBOX_ADDRESS = "https://api.stripe.com"


@dataclass(frozen=True, kw_only=True)
class Provider:
    """Where Stripe answers, and which key each role gets."""

    base_url: str
    #: Everything is allowed with it; for the person who tries things out. Empty when not ours.
    merchant_key: str
    worker_key: str
    read_key: str
    is_local: bool
    #: Signs the events; for the web process. Empty when nobody delivers any.
    webhook_secret: str = ""
    payments: list[dict[str, Any]] = field(default_factory=list)

    @property
    def api_base(self) -> str:
        """The setting ``STRIPE_API_BASE``; empty means Stripe's own address."""
        return self.base_url if self.is_local else ""

    @property
    def web_secrets(self) -> dict[str, str]:
        """What the web process alone needs: a key that reads, and how events are signed."""
        signed = {"STRIPE_WEBHOOK_SECRET": self.webhook_secret} if self.webhook_secret else {}
        return {"STRIPE_READ_KEY": self.read_key, **signed}


def given() -> Provider | None:
    """The Stripe sandbox whose keys are in the environment, if any.

    Raises ``ConfigurationError`` when only one of its two keys is there.
    """
    worker_key = os.environ.get("STRIPE_API_KEY", "")
    read_key = os.environ.get("STRIPE_READ_KEY", "")
    if not worker_key and not read_key:
        return None
    if not (worker_key and read_key):
        missing = "STRIPE_READ_KEY" if worker_key else "STRIPE_API_KEY"
        raise ConfigurationError(
            f"{missing} is not set. Set both STRIPE_API_KEY (for the money worker) and "
            "STRIPE_READ_KEY (read-only, for the others), or neither to use the local Stripe."
        )
    return Provider(
        base_url=_SANDBOX_ADDRESS,
        merchant_key="",
        worker_key=worker_key,
        read_key=read_key,
        is_local=False,
        webhook_secret=os.environ.get("STRIPE_WEBHOOK_SECRET", ""),
    )


def local(said: str) -> Provider:
    """The local Stripe that has written this to its log, with its payments."""
    ready = json.loads(ready_line(said))
    address = f"{ready['base_url']}/_local/payments"  # always 127.0.0.1
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310  # nosec B310
        payments = json.load(answer)["payments"]
    return Provider(
        base_url=ready["base_url"],
        merchant_key=ready["secret_key"],
        worker_key=ready["worker_key"],
        read_key=ready["read_key"],
        is_local=True,
        webhook_secret=ready["webhook_secret"],
        payments=payments,
    )


def ready_line(said: str) -> str:
    """The line of JSON that the local Stripe writes when it is ready, or nothing."""
    return next((line for line in said.splitlines() if line.startswith("{")), "")


def choose_port(var_dir: Path) -> int:
    """The port of the last run when it is free, else another free one, on 127.0.0.1."""
    last = facts.read(var_dir).get("stripe", {}).get("base_url", "").rpartition(":")[2]
    for port in (int(last) if last.isdigit() else 0, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ConfigurationError("No port is free on 127.0.0.1. Close some programs and try again.")
