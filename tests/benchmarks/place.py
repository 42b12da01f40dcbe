"""Where the benchmarks run: databases to copy, agents, a payment, and the SQL of real calls."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import stripe

from tests.flows.parts import ROOT
from tests.flows.stack import Stack

#: Two processes for two cores, as in `make run`.
WEB_OPTIONS = ["--workers", "2", "--threads", "8"]
#: What limits an agent in production would be all that is measured here.
NO_LIMITS = {
    "COUNTERSIGN_RATE_PER_SECOND": "1000000",
    "COUNTERSIGN_RATE_BURST": "1000000",
    "COUNTERSIGN_PENDING_PER_AGENT": "1000000",
}


def new_database(server_url: str, name: str) -> str:
    """Make an empty database; returns its URL."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return _url(server_url, name)


@contextmanager
def copied(template_url: str) -> Iterator[str]:
    """Yield the URL of a copy of a database that nobody is connected to."""
    name = urlsplit(template_url).path[1:]
    copy = f"{name}_copy"
    with psycopg.connect(_url(template_url, "postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{name}"')
        try:
            yield _url(template_url, copy)
        finally:
            connection.execute(f'DROP DATABASE "{copy}" WITH (FORCE)')


@dataclass(frozen=True, kw_only=True)
class Furniture:
    """Who is there: agents with their keys, and people with their passwords."""

    agents: list[dict[str, Any]]
    passwords: dict[str, str]


def furnish(stack: Stack, agents: int) -> Furniture:
    """Start the broker, fill the database, and make so many agents."""
    stack.plan()
    stack.start("broker")
    seeded = json.loads(stack.python("-m", "tests.flows.seed"))
    made = json.loads(stack.python("-m", "tests.benchmarks.seed", str(agents)))
    return Furniture(agents=made, passwords=seeded["passwords"])


def refund(stack: Stack, amount: int = 1250) -> dict[str, Any]:
    """What an agent posts: a refund of a payment that exists, with words and metadata."""
    return {
        "service": "support",
        "action": "stripe.refund",
        "payload": {
            "payment_intent": pay(stack),
            "amount": amount,
            "currency": "usd",
            "reason": "requested_by_customer",
            "metadata": {"ticket": "T-1002"},
        },
        "reason": "The parcel arrived broken; the customer sent a photo.",
        "context": {"ticket": "T-1002", "customer_since": "2019"},
    }


def pay(stack: Stack) -> str:
    """Make a captured payment of 999,999.99 USD."""
    client = stripe.StripeClient(
        stack.stripe.secret_key,
        base_addresses={"api": stack.stripe.base_url},
        max_network_retries=0,
    )
    payment = client.v1.payment_intents.create(
        {
            "amount": 99_999_999,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "payment_method_types": ["card"],
            "confirm": True,
        }
    )
    return str(payment.id)


def setting(stack: Stack, name: str) -> float:
    """Return a setting of the stack's processes that is a number."""
    code = f"import django; django.setup(); from django.conf import settings as s; print(s.{name})"
    return float(stack.python("-c", code))


def captured(
    stack: Stack, database_url: str, agent: dict[str, Any], body: dict[str, Any]
) -> dict[str, Any]:
    """Return the SQL of one submission and of one reading."""
    result = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.capture"],
        cwd=ROOT,
        env=stack.environment("web", DATABASE_URL=database_url),
        input=json.dumps({"key": agent["secret"], "body": body}),
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise RuntimeError(result.stderr[-3000:])
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


def _url(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
