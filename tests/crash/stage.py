"""Where the crash tests play: signed refunds, a local Stripe that lives on, and a clock to move.

One world for the crash matrix and for the random schedules. Nothing here sleeps: what has to wait
is found by moving the clock of the database and of the local Stripe together.
"""

import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import stripe
from django.conf import settings
from django.db import transaction

from audit import actors, clock
from audit.canonical import digest_of
from audit.history import stamp
from audit.identifiers import new_id
from audit.signing import keys, tokens
from executors import services
from executors.base import Provider
from executors.enums import ExecutionStatus as S
from executors.limits import time_limits
from executors.models import Execution
from executors.stripe.sandbox.process import RunningSandbox
from tests.crash.children import Child
from tests.flows.polling import wait_until

#: Nothing more happens to these by themselves. (UNKNOWN is left by reading; HELD by a person.)
SETTLED = (S.SUCCEEDED, S.FAILED, S.REFUSED, S.REVERSED)

_numbers = itertools.count(1)


@dataclass(kw_only=True)
class Stage:
    """The world of one test. ``rung`` and ``rung_to_read`` are whom the bell rang for."""

    sandbox: RunningSandbox
    rung: list[str] = field(default_factory=list)
    rung_to_read: list[str] = field(default_factory=list)
    payments: list[str] = field(default_factory=list)

    @cached_property
    def merchant(self) -> stripe.StripeClient:
        """The merchant's own access to the local Stripe, which no gate watches."""
        return stripe.StripeClient(
            self.sandbox.secret_key,
            base_addresses={"api": self.sandbox.base_url},
            max_network_retries=0,
        )

    def pay(self, amount: int = 12000, *, card: str = "pm_card_visa") -> str:
        """Make a captured payment in US dollars (amount in cents); returns its id."""
        payment = self.merchant.v1.payment_intents.create(
            {
                "amount": amount,
                "currency": "usd",
                "payment_method": card,
                "payment_method_types": ["card"],
                "confirm": True,
            }
        )
        self.payments.append(str(payment.id))
        return str(payment.id)

    def decide(self, payment: str, amount: int = 9500, **changes: Any) -> Execution:
        """Queue a signed refund, as an approval does; keywords change its claims."""
        claims = _claims(payment, amount, self.sandbox.account) | changes
        key = keys.load_signing_key(settings.COUNTERSIGN_SIGNING_KEY_FILE)
        with transaction.atomic():
            return services.enqueue(
                token=tokens.sign(claims, key),
                claims=claims,
                actor=actors.Actor(kind="person", name="reviewer"),
                at=clock.now(),
            )

    def script(self, *lines: dict[str, Any]) -> None:
        """Let these faults happen at the local Stripe (see ``sandbox.faults.read_lines``)."""
        self._switch("POST", "/_local/faults", list(lines))

    def wait_for_faults(self) -> None:
        """Wait until the script is used up: the request that it waited for has arrived."""
        wait_until(lambda: self._switch("GET", "/_local/faults")["left"] == 0, "the request")

    def clear_faults(self) -> None:
        """Let everything go well at the local Stripe from now on."""
        self._switch("DELETE", "/_local/faults")

    def ledger(self) -> dict[str, Any]:
        """What has left the local Stripe, of the payments of this stage."""
        ledger: dict[str, Any] = self._switch("GET", "/_local/ledger")
        ours = [payment for payment in ledger["payments"] if payment["id"] in self.payments]
        return ledger | {"payments": ours}

    def settle(self, refund_id: str, status: str) -> None:
        """Bring a refund at the local Stripe to this status (see ``refunds.settle`` there)."""
        self._switch("POST", f"/_local/refunds/{refund_id}/settle", {"status": status})

    def refunds(self) -> list[dict[str, Any]]:
        """All refunds of the payments of this stage, as the local Stripe has them."""
        return [refund for payment in self.ledger()["payments"] for refund in payment["refunds"]]

    def advance(self, seconds: float) -> None:
        """Move the clocks of the database and of the local Stripe forward."""
        clock.offset += timedelta(seconds=seconds)
        self._switch("POST", "/_local/clock", {"advance": int(seconds) + 1})

    def put_back(self, seconds: float) -> None:
        """Put the database's clock back, as an operator or NTP does; the provider's goes on."""
        clock.offset += timedelta(seconds=-seconds)

    def forget_keys(self) -> None:
        """Let a day pass at the local Stripe alone, which then remembers no idempotency key."""
        self._switch("POST", "/_local/clock", {"advance": 25 * 3600})

    def worker(self, execution_id: str, **fate: Any) -> Child:
        """Deliver a message to a worker process: it carries the execution out, if it is due."""
        return Child(lambda: run(execution_id), **fate)

    def limited_worker(self, execution_id: str) -> Child:
        """Deliver it to a worker that hears of its soft limit by SIGALRM, as in production."""

        def run_limited() -> None:
            with time_limits():
                run(execution_id)

        return Child(run_limited)

    def reader(self, execution_id: str, **fate: Any) -> Child:
        """Let a worker process read the provider about an execution."""
        return Child(lambda: reconcile(execution_id), **fate)

    def sweep(self) -> tuple[list[str], list[str]]:
        """Sweep once; returns who is to be carried out, and who is to be read about."""
        self.rung.clear()
        self.rung_to_read.clear()
        services.sweep(limit=100)
        services.ring_for_readings(limit=100)
        return list(self.rung), list(self.rung_to_read)

    def pass_time(self, executions: Iterable[Execution]) -> None:
        """Move the clocks to when the next of these executions is due."""
        at = clock.now()
        waits = [_next_date(e, at) - at for e in executions if e.status not in SETTLED]
        nearest = min(waits, default=timedelta(0))
        self.advance(max(nearest.total_seconds(), 0) + 3)

    def _switch(self, method: str, path: str, body: Any = None) -> Any:
        address = urlsplit(self.sandbox.base_url).netloc
        connection = HTTPConnection(address, timeout=10)
        headers = {"Content-Type": "application/json"}
        try:
            connection.request(method, path, json.dumps(body).encode(), headers)
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status == 200, text
            return json.loads(text)
        finally:
            connection.close()


def _claims(payment: str, amount: int, account: str) -> dict[str, Any]:
    decided_at = int(clock.now().timestamp())
    payload = {"payment_intent": payment, "amount": amount, "currency": "usd"}
    provider = Provider(kind="stripe-local", account=account, livemode=False)
    return {
        "iss": settings.COUNTERSIGN_ISSUER,
        "aud": settings.COUNTERSIGN_AUDIENCE,
        "jti": new_id("dec"),
        "sub": new_id("req"),
        "iat": decided_at,
        "nbf": decided_at,
        "exp": decided_at + settings.COUNTERSIGN_EXECUTE_WITHIN,
        "ver": 1,
        "agent": {"id": "agt_1", "name": "billing-agent", "key": "key_1"},
        "service": "support",
        "action": "stripe.refund",
        "action_version": 1,
        "provider": provider.as_claim(),
        "outcome": "APPROVED",
        "payload": payload,
        "payload_version": 1,
        "payload_sha256": digest_of(payload),
        "original_payload_sha256": digest_of(payload),
        "facts": {"read_at": stamp(clock.now()), "material": {"currency": "usd"}},
        "decided_by": "people",
        "reviewers": [{"id": 1, "username": "reviewer", "verdict": "APPROVE"}],
        "policy_version": 1,
        "rules_sha256": "0" * 64,
    }


def run(execution_id: str) -> None:
    """Carry out, as the task does."""
    services.run(execution_id=execution_id, worker=f"crash:{next(_numbers)}")


def reconcile(execution_id: str) -> None:
    """Read the provider, as the task does."""
    services.reconcile(execution_id=execution_id, worker=f"crash:{next(_numbers)}")


def fresh(executions: Iterable[Execution]) -> list[Execution]:
    """Read executions anew."""
    return list(Execution.objects.filter(pk__in=[e.pk for e in executions]).order_by("pk"))


def everything(executions: Iterable[Execution]) -> list[Any]:
    """All that is stored about executions, to be compared with the same at another time."""
    told = list(executions)
    readings = [list(one.readings.order_by("pk").values()) for one in fresh(told)]
    return [*all_but_readings(told), *readings]


def all_but_readings(executions: Iterable[Execution]) -> list[Any]:
    """What is stored about executions that looking at the provider again may not change."""
    stored: list[Any] = []
    for execution in fresh(executions):
        row = Execution.objects.filter(pk=execution.pk)
        parts = (row, execution.attempts.all(), execution.history.all())
        stored += [list(rows.order_by("pk").values()) for rows in parts]
    return stored


def _next_date(execution: Execution, at: datetime) -> datetime:
    """When something may happen to an execution again, as the database knows it."""
    if execution.status == S.UNKNOWN:
        return at + timedelta(minutes=11)
    dates = [execution.lease_expires_at, execution.next_attempt_at]
    return min((date for date in dates if date is not None), default=at)
