"""Where schedules are played: a stage of tests/crash with a few more switches."""

import json
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode, urlsplit

from django.test import override_settings

from approvals.models import User
from audit import clock
from executors import bell, registry, services
from executors.stripe import gateway
from executors.stripe.sandbox.process import RunningSandbox
from tests.chaos.judging import judge
from tests.chaos.playing import Round
from tests.chaos.schedules import Schedule
from tests.crash.shared_clock import SharedOffset
from tests.crash.stage import Stage
from tests.support import survived

#: More executions than there are in one database of rounds.
_ALL = 10_000


class Scene(Stage):
    """A stage that knows cards, storms and late ends of refunds."""

    def pay_by(self, card: str, amount: int) -> str:
        """Make a captured payment by a test card; returns its id."""
        body = {
            "amount": str(amount),
            "currency": "usd",
            "payment_method": card,
            "payment_method_types[]": "card",
            "confirm": "true",
        }
        headers = {
            "Authorization": f"Bearer {self.sandbox.secret_key}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        # Without the library: there are tens of thousands of these, and they are not the subject.
        connection = HTTPConnection(urlsplit(self.sandbox.base_url).netloc, timeout=30)
        try:
            connection.request("POST", "/v1/payment_intents", urlencode(body), headers)
            payment = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        self.payments.append(str(payment["id"]))
        return str(payment["id"])

    def sweep(self) -> tuple[list[str], list[str]]:
        """Sweep so widely that what earlier rounds have left unread does not stand before us."""
        self.rung.clear()
        self.rung_to_read.clear()
        services.sweep(limit=_ALL)
        services.ring_for_readings(limit=_ALL)
        return list(self.rung), list(self.rung_to_read)

    def storm(self, *, seed: int, rate: float, kinds: tuple[str, ...]) -> None:
        """Let a share of all requests fail at random."""
        body = {"seed": seed, "rate": rate, "kinds": list(kinds)}
        self._switch("POST", "/_local/faults/random", body)


class Place:
    """A database and a local Stripe in which rounds are played, one after another."""

    def __init__(self, sandbox: RunningSandbox, person: User) -> None:
        self._sandbox = sandbox
        self._person = person
        # Once for all: whose key it is does not change, and every process would ask for it.
        registry.get("stripe.refund", 1).provider()
        self._threads = self._count()

    def play(self, schedule: Schedule, *, serial: bool = False) -> tuple[Round, list[str]]:
        """Play a schedule to its end; returns it with what is wrong."""
        survived.counted[survived.SCHEDULES] += 1
        stage = Scene(sandbox=self._sandbox)
        played = Round(
            schedule=schedule,
            stage=stage,
            person=self._person,
            is_quiet=lambda: self._count() <= self._threads,
            serial=serial,
        )
        with (
            patch.object(bell, "ring", _into(stage.rung)),
            patch.object(bell, "ring_to_reconcile", _into(stage.rung_to_read)),
        ):
            stage.clear_faults()
            try:
                played.play()
                played.recover()
                return played, judge(played)
            except AssertionError as error:
                return played, [str(error)]
            except Exception:  # noqa: BLE001 - told with its seed, like every other failure
                return played, [traceback.format_exc()]
            finally:
                played.close()
                stage.clear_faults()

    def _count(self) -> int:
        """The local Stripe has one thread for each connection that it still cares for."""
        threads = Path("/proc") / str(self._sandbox.process.pid) / "task"
        return len(list(threads.iterdir()))


@contextmanager
def place(sandbox: RunningSandbox, person: User) -> Iterator[Place]:
    """Point this process, and those it forks, at a local Stripe and at a clock to move."""
    with (
        override_settings(
            STRIPE_API_BASE=sandbox.base_url,
            STRIPE_API_KEY=sandbox.worker_key,
            STRIPE_READ_KEY=sandbox.worker_key,
            # The upper floor's checks are its own business, and have their own tests.
            COUNTERSIGN_CHECKS=[],
        ),
        patch.object(clock, "offset", SharedOffset(clock.offset)),
        patch.object(gateway, "MONEY_TIMEOUT", gateway.MONEY_TIMEOUT),
    ):
        yield Place(sandbox, person)


def _into(heard: list[str]) -> Any:
    def ring(execution_id: str) -> bool:
        heard.append(execution_id)
        return True

    return ring
