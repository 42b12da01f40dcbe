"""The local Stripe delivers its events: signed, repeated, and astray when it is told to."""

import json
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stripe import Webhook

from executors.stripe.sandbox.process import (
    RunningSandbox,
    SandboxStartError,
    running_sandbox,
)
from tests.executors.stripe.conftest import Shop, client_for
from tests.executors.stripe.scripted_http import RESET, ScriptedHttp, answer, scripted_http
from tests.executors.stripe.switches import press, webhooks
from tests.flows.polling import wait_until

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A local Stripe of these tests alone."""
    with running_sandbox(tmp_path_factory.mktemp("webhooks") / "stripe.sqlite3") as running:
        yield running


@pytest.fixture
def shop(sandbox: RunningSandbox) -> Shop:
    return Shop(client=client_for(sandbox.secret_key, sandbox.base_url))


@pytest.fixture
def endpoint(sandbox: RunningSandbox) -> Iterator[ScriptedHttp]:
    """Somebody who listens, and takes everything unless told otherwise."""
    with scripted_http() as server:
        server.answers = [answer(200, {})]
        webhooks(sandbox, url=f"{server.base_url}/hooks", mode="normal")
        yield server
        webhooks(sandbox, url="")


def idle(sandbox: RunningSandbox) -> Any:
    """Wait until nothing is on its way; return what was delivered."""
    wait_until(lambda: webhooks(sandbox)["waiting"] == 0, "every event to be delivered")
    return webhooks(sandbox)["deliveries"]


def types(endpoint: ScriptedHttp) -> list[str]:
    """The types of the events that arrived, in their order."""
    bodies = [json.loads(endpoint.body(number)) for number in range(len(endpoint.received))]
    return [body["type"] for body in bodies]


def refund(shop: Shop) -> Any:
    return shop.refund(shop.pay(), 100)


def test_an_event_arrives_signed_as_stripes_own_library_verifies(
    sandbox: RunningSandbox, shop: Shop, endpoint: ScriptedHttp
) -> None:
    made = refund(shop)
    idle(sandbox)

    assert endpoint.line() == "POST /hooks HTTP/1.1"
    [number] = [n for n, name in enumerate(types(endpoint)) if name == "refund.created"]
    header = endpoint.headers(number)["stripe-signature"]
    event = Webhook.construct_event(endpoint.body(number), header, sandbox.webhook_secret)
    assert event.data.object["id"] == made.id
    listed = shop.client.v1.events.list({"type": "refund.created", "limit": 1}).data
    assert event.id == listed[0].id


def test_what_is_not_taken_is_sent_again_signed_anew(
    sandbox: RunningSandbox, shop: Shop, endpoint: ScriptedHttp
) -> None:
    payment = shop.pay()
    idle(sandbox)
    del endpoint.received[:]
    endpoint.answers = [answer(503, {}), RESET, answer(302, {}), answer(200, {})]
    shop.refund(payment, 100)
    idle(sandbox)

    arrived = types(endpoint)
    assert (len(arrived), set(arrived)) == (5, {"refund.created", "charge.refunded"})
    answers = [told["answer"] for told in webhooks(sandbox)["deliveries"][-5:]]
    assert sorted(map(str, answers))[:4] == ["200", "200", "302", "503"]


def test_late_events_wait_until_they_are_released(
    sandbox: RunningSandbox, shop: Shop, endpoint: ScriptedHttp
) -> None:
    webhooks(sandbox, mode="late")
    refund(shop)
    held = webhooks(sandbox)
    webhooks(sandbox, release=True)
    idle(sandbox)

    assert held["held"] > 0
    assert types(endpoint)[-2:] == ["refund.created", "charge.refunded"]


def test_out_of_order_is_the_newest_first(
    sandbox: RunningSandbox, shop: Shop, endpoint: ScriptedHttp
) -> None:
    webhooks(sandbox, mode="out_of_order")
    made = refund(shop)
    press(sandbox, f"refunds/{made.id}/settle", {"status": "failed"})
    webhooks(sandbox, release=True)
    idle(sandbox)

    arrived = [name for name in types(endpoint) if name.startswith("refund")]
    assert arrived == ["refund.failed", "refund.created"]


def test_twice_is_two_times_the_same(
    sandbox: RunningSandbox, shop: Shop, endpoint: ScriptedHttp
) -> None:
    webhooks(sandbox, mode="twice")
    refund(shop)
    idle(sandbox)

    assert types(endpoint).count("refund.created") == 2
    events = [json.loads(endpoint.body(n))["id"] for n in range(len(endpoint.received))]
    assert len(events) == 2 * len(set(events))


def test_never_is_never(sandbox: RunningSandbox, shop: Shop, endpoint: ScriptedHttp) -> None:
    webhooks(sandbox, mode="never")
    refund(shop)
    webhooks(sandbox, mode="normal")
    refund(shop)
    idle(sandbox)

    assert types(endpoint).count("refund.created") == 1


def test_before_the_answer_is_before_the_answer(
    sandbox: RunningSandbox, shop: Shop, endpoint: ScriptedHttp
) -> None:
    payment = shop.pay()
    idle(sandbox)
    webhooks(sandbox, mode="before_answer")
    shop.refund(payment, 100)

    assert types(endpoint)[-2:] == ["refund.created", "charge.refunded"]


def test_nothing_older_than_the_endpoint_is_delivered(sandbox: RunningSandbox, shop: Shop) -> None:
    refund(shop)
    with scripted_http() as server:
        server.answers = [answer(200, {})]
        webhooks(sandbox, url=server.base_url)
        assert idle(sandbox) is not None
        assert server.received == []
        webhooks(sandbox, url="")


@pytest.mark.parametrize(
    "body",
    [
        {"url": "http://example.com/"},
        {"url": "https://127.0.0.1/"},
        {"secret": "sk_local_1"},
        {"mode": "sometimes"},
        {"colour": "red"},
        [],
    ],
)
def test_a_switch_that_makes_no_sense_is_refused(sandbox: RunningSandbox, body: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        press(sandbox, "webhooks", body)
    refused.value.close()

    assert refused.value.code == 400
    assert webhooks(sandbox)["url"] == ""


def test_the_secret_stays_the_same_and_is_never_told(tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "stripe.sqlite3") as first:
        told = webhooks(first)
    with running_sandbox(tmp_path / "stripe.sqlite3") as second:
        assert first.webhook_secret == second.webhook_secret

    assert first.webhook_secret.startswith("whsec_local_")
    assert first.webhook_secret not in json.dumps(told)


def test_it_starts_with_an_endpoint_or_says_why_not(tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "a.sqlite3", webhook_url="http://127.0.0.1:9/hooks") as running:
        assert webhooks(running)["url"] == "http://127.0.0.1:9/hooks"
    with (
        pytest.raises(SandboxStartError, match="delivered to http://127"),
        running_sandbox(tmp_path / "b.sqlite3", webhook_url="http://192.0.2.1/hooks"),
    ):
        pass
