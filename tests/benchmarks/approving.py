"""From the commit of an approval to the first byte of its refund at the provider."""

import sys
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.benchmarks.place import NO_LIMITS, WEB_OPTIONS, Furniture, furnish, refund, setting
from tests.benchmarks.proxy import Proxy, recording
from tests.flows.polling import wait_until
from tests.flows.stack import Stack, prepared_stack
from tests.flows.web import AgentClient, Browser

APPROVALS = 100
#: Fewer when nobody is rung for: each waits for the next look into the database, all together for
#: a few rounds of it.
UNHEARD = 40
#: Nobody listens there, so that no message is ever published.
_DEAD_BROKER = {"REDIS_URL": "redis+socket:///nonexistent/valkey.sock?virtual_host=0"}

#: The loop as it is by default: every COUNTERSIGN_SWEEP_EVERY seconds.
_LOOP = [sys.executable, "manage.py", "work"]

#: PostgreSQL's own note of when the transaction that wrote the decision was committed.
_COMMITTED = (
    "SELECT id, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 FROM approvals_decision"
)


@dataclass(frozen=True, kw_only=True)
class Delays:
    """Seconds, one for each approval."""

    with_broker: list[float]
    #: Every message lost: the sweeper rings.
    unheard: list[float]
    #: The broker is down all the time: the money loop carries out.
    without_broker: list[float]
    #: How often the loop looks, as it is by default.
    sweep_every: float


def measure(database_url: str, directory: Path) -> Delays:
    """Approve through the admin, watch at the provider. The server tracks commit timestamps."""
    with (
        prepared_stack(
            directory, database_url, settings=NO_LIMITS, web_options=WEB_OPTIONS
        ) as stack,
        recording(stack.stripe.base_url) as proxy,
    ):
        stack.worker_stripe_base = proxy.base_url
        furniture = furnish(stack, 1)
        stack.start("web", "money", "default", "beat")
        heard = _approve(stack, stack.base_url, furniture, APPROVALS)
        with_broker = _delays(stack, proxy, heard)
        with stack.another_web(**_DEAD_BROKER) as base_url:
            lost = _approve(stack, base_url, furniture, UNHEARD)
            unheard = _delays(stack, proxy, lost)
        with stack.without("broker"), stack.another("loop", *_LOOP):
            unrung = _approve(stack, stack.base_url, furniture, UNHEARD)
            without_broker = _delays(stack, proxy, unrung)
        return Delays(
            with_broker=with_broker,
            unheard=unheard,
            without_broker=without_broker,
            sweep_every=setting(stack, "COUNTERSIGN_SWEEP_EVERY"),
        )


def _approve(stack: Stack, base_url: str, furniture: Furniture, number: int) -> list[str]:
    """Let an agent ask and a person approve, one after the other; returns the decisions' ids."""
    agent = AgentClient(base_url, furniture.agents[0]["secret"])
    reviewer = Browser(base_url).sign_in("reviewer", furniture.passwords["reviewer"])
    payload = refund(stack)["payload"]
    decisions = []
    for index in range(number):
        amounts = payload | {"amount": 100 + index}
        request_id = agent.submit(amounts, f"{payload['payment_intent']}-{index}").json["id"]
        reviewer.decide(request_id, "approve", "Measured.")
        decisions.append(str(agent.request(request_id)["decision"]["id"]))
    return decisions


def _delays(stack: Stack, proxy: Proxy, decisions: list[str]) -> list[float]:
    keys = {decision: f"cs_{decision}" for decision in decisions}
    wait_until(lambda: proxy.first_bytes.keys() >= set(keys.values()), "all refunds", seconds=120)
    with psycopg.connect(stack.database_url) as connection:
        committed = dict(connection.execute(_COMMITTED).fetchall())
    return [proxy.first_bytes[keys[decision]] - committed[decision] for decision in decisions]
