"""Accounts to drive through the ``stripe`` client, and the local Stripe without its sockets.

The contract tests run against the local Stripe always, and against a real Stripe sandbox as well
when ``STRIPE_TEST_KEY`` holds its test key: the same assertions, so the stand-in stays honest.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from stripe import StripeClient

from executors.stripe import gateway
from executors.stripe.sandbox import keys
from executors.stripe.sandbox.application import Application
from executors.stripe.sandbox.messages import Answer, Request
from executors.stripe.sandbox.process import RunningSandbox, running_sandbox
from executors.stripe.sandbox.store import Store
from tests.executors.stripe.scripted_http import ScriptedHttp, scripted_http

PROVIDERS = ["local", *(["real"] if os.environ.get("STRIPE_TEST_KEY") else [])]


@dataclass(frozen=True, kw_only=True)
class Shop:
    """An account at one Stripe, real or local, and ways to bring a payment on stage."""

    client: StripeClient

    def pay(self, amount: int = 5000, *, card: str = "pm_card_visa", **more: Any) -> Any:
        """A confirmed payment by card, in dollars unless said otherwise."""
        params = {
            "amount": amount,
            "currency": "usd",
            "payment_method": card,
            "payment_method_types": ["card"],
            "confirm": True,
            **more,
        }
        return self.client.v1.payment_intents.create(params)  # type: ignore[arg-type]

    def refund(self, payment: Any, amount: int | None = None, *, key: str = "", **more: Any) -> Any:
        """Refund the payment, wholly unless an amount is given."""
        params = {"payment_intent": payment.id, **more}
        if amount is not None:
            params["amount"] = amount
        options = {"idempotency_key": key} if key else {}
        return self.client.v1.refunds.create(params, options)  # type: ignore[arg-type]

    def refunds_of(self, payment: Any) -> list[Any]:
        """All refunds of the payment, newest first."""
        listed = self.client.v1.refunds.list({"payment_intent": payment.id, "limit": 100})
        return list(listed.auto_paging_iter())

    def charge_of(self, payment: Any) -> Any:
        """The payment's charge as it is now."""
        return self.client.v1.charges.retrieve(payment.latest_charge)


def client_for(key: str, base_url: str) -> StripeClient:
    """The unmodified client with its own retries off, as the gateway has it."""
    return StripeClient(key, base_addresses={"api": base_url}, max_network_retries=0)


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A local Stripe for the length of the run."""
    with running_sandbox(tmp_path_factory.mktemp("local-stripe") / "stripe.sqlite3") as sandbox:
        yield sandbox


@pytest.fixture(params=PROVIDERS)
def shop(request: pytest.FixtureRequest, local: RunningSandbox) -> Shop:
    """The local Stripe, and the real sandbox when there is a key for it."""
    if request.param == "local":
        return Shop(client=client_for(local.secret_key, local.base_url))
    return Shop(client=StripeClient(os.environ["STRIPE_TEST_KEY"], max_network_retries=0))


@pytest.fixture
def local_shop(local: RunningSandbox) -> Shop:
    """The local Stripe alone, for what a real sandbox cannot show on demand."""
    return Shop(client=client_for(local.secret_key, local.base_url))


class Clock:
    """A clock that stands still until it is moved; seconds since 1970."""

    def __init__(self) -> None:
        self.now = 1_800_000_000

    def __call__(self) -> int:
        return self.now


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The local Stripe in this process, without sockets, under a clock of the test's own."""

    application: Application
    store: Store
    clock: Clock
    secrets: Mapping[str, str]

    def send(
        self,
        method: str,
        path: str,
        form: Mapping[str, Any] | None = None,
        *,
        key: str = "",
        role: str = "secret",
    ) -> Answer:
        """Send one request."""
        body = urlencode(form or {}).encode()
        headers = {"authorization": f"Bearer {self.secrets[role]}"}
        if key:
            headers["idempotency-key"] = key
        if method != "GET":
            return self.application.answer(
                Request(method=method, target=path, headers=headers, body=body)
            )
        target = f"{path}?{body.decode()}" if body else path
        return self.application.answer(Request(method=method, target=target, headers=headers))

    def read(self, method: str, path: str, form: Mapping[str, Any] | None = None) -> Any:
        """Send one request that must succeed, and return its JSON."""
        answer = self.send(method, path, form)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def pay(self, amount: int = 5000, *, card: str = "pm_card_visa", **more: Any) -> Any:
        """A confirmed payment."""
        form = {"amount": amount, "currency": "usd", "payment_method": card, "confirm": "true"}
        return self.read("POST", "/v1/payment_intents", {**form, **more})


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A new local Stripe in this process."""
    store = Store(tmp_path / "stage.sqlite3")
    clock = Clock()
    with store.writing() as tx:
        secrets = keys.install(tx, {})
    application = Application(store=store, account="acct_local_stage", clock=clock)
    yield Stage(application=application, store=store, clock=clock, secrets=secrets)
    store.close()


def error_of(answer: Answer) -> Any:
    """The error object of a refusal."""
    return json.loads(answer.body)["error"]


@pytest.fixture
def http(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedHttp]:
    """A Stripe that answers what it is told, byte for byte."""
    monkeypatch.setattr(gateway, "_accounts", {})
    with scripted_http() as server:
        settings.STRIPE_API_BASE = server.base_url
        settings.STRIPE_API_KEY = "rk_local_money12345"
        settings.STRIPE_READ_KEY = "rk_local_read123456"
        yield server
