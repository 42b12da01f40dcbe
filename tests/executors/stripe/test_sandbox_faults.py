"""Faults on demand, each seen through the real ``stripe`` client."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stripe

from executors.stripe.sandbox.faults import FaultKind
from executors.stripe.sandbox.process import RunningSandbox, running_sandbox
from tests.executors.stripe.conftest import Shop

pytestmark = pytest.mark.process

Switch = Callable[..., Any]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A local Stripe of these tests alone, since they break it and move its clock."""
    with running_sandbox(tmp_path_factory.mktemp("faulty") / "stripe.sqlite3") as running:
        yield running


@pytest.fixture
def switch(sandbox: RunningSandbox) -> Iterator[Switch]:
    """Press a switch; the faults end with the test."""

    def press(path: str, body: Any = None, method: str = "POST", **headers: str) -> Any:
        sent = {"Content-Type": "application/json"} | headers
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{sandbox.base_url}/_local/{path}", data, sent, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            error.close()
            raise

    yield press
    press("faults", method="DELETE")


@pytest.fixture
def shop(sandbox: RunningSandbox) -> Iterator[Shop]:
    """The client as the gateway has it: no retries, and not much patience."""
    http = stripe.RequestsClient(timeout=(5, 1))
    client = stripe.StripeClient(
        sandbox.secret_key,
        base_addresses={"api": sandbox.base_url},
        max_network_retries=0,
        http_client=http,
    )
    yield Shop(client=client)
    http.close()  # type: ignore[no-untyped-call]


def once(kind: str, **more: Any) -> list[dict[str, Any]]:
    return [{"match": {"method": "POST", "path": "/v1/refunds"}, "fault": kind, **more}]


BEFORE = ["refuse", "drop_before", "hang"]
AFTER = ["drop_after", "hang_after", "truncate", "not_json"]


@pytest.mark.parametrize("kind", BEFORE + AFTER)
def test_an_answer_that_never_comes_says_nothing(shop: Shop, switch: Switch, kind: str) -> None:
    payment = shop.pay()
    switch("faults", once(kind))

    with pytest.raises((stripe.APIConnectionError, stripe.APIError)):
        shop.refund(payment, 100, key=f"lost-{kind}")

    assert len(shop.refunds_of(payment)) == (kind in AFTER)
    again = shop.refund(payment, 100, key=f"lost-{kind}")
    assert [again.id] == [refund.id for refund in shop.refunds_of(payment)]


@pytest.mark.parametrize(
    ("kind", "error", "status"),
    [
        ("in_use", stripe.StripeError, 409),
        ("rate_limit", stripe.RateLimitError, 429),
        ("unavailable", stripe.APIError, 503),
        ("unauthorized", stripe.AuthenticationError, 401),
        ("forbidden", stripe.PermissionError, 403),
    ],
)
def test_a_refusal_in_front_leaves_the_key_fresh(
    shop: Shop, switch: Switch, kind: str, error: type[stripe.StripeError], status: int
) -> None:
    payment = shop.pay()
    switch("faults", once(kind, retry_after=7))

    with pytest.raises(error) as caught:
        shop.refund(payment, 100, key=f"front-{kind}")

    assert caught.value.http_status == status
    waits = (caught.value.headers or {}).get("retry-after")
    assert waits == ("7" if status == 429 else None)
    assert shop.refunds_of(payment) == []
    assert shop.refund(payment, 100, key=f"front-{kind}").status == "succeeded"


def test_a_stored_500_comes_again(shop: Shop, switch: Switch) -> None:
    payment = shop.pay()
    switch("faults", once("stored_500"))

    for _ in range(2):
        with pytest.raises(stripe.APIError) as caught:
            shop.refund(payment, 100, key="stored")
        assert caught.value.http_status == 500
    assert (caught.value.headers or {}).get("idempotent-replayed") == "true"
    assert shop.refunds_of(payment) == []


def test_a_slow_answer_is_an_answer(shop: Shop, switch: Switch) -> None:
    payment = shop.pay()
    switch("faults", once("slow", seconds=0.05))

    assert shop.refund(payment, 100).status == "succeeded"


def test_every_fault_has_a_test() -> None:
    front = ["in_use", "rate_limit", "unavailable", "unauthorized", "forbidden"]

    assert {*BEFORE, *AFTER, *front, "stored_500", "slow"} == set(FaultKind)


def test_a_script_counts_and_matches(shop: Shop, switch: Switch) -> None:
    payment = shop.pay()
    match = {"method": "POST", "path": "/v1/refunds", "key": "mine-*"}
    switch("faults", [{"match": match, "fault": "unavailable", "times": 2}])

    shop.refund(payment, 100, key="yours")
    for left in (2, 1):
        assert switch("faults", method="GET") == {"left": left}
        with pytest.raises(stripe.APIError):
            shop.refund(payment, 100, key="mine-1")
    assert shop.refund(payment, 100, key="mine-1").status == "succeeded"


def outcomes(shop: Shop, switch: Switch, seed: int) -> list[int]:
    switch("faults/random", {"seed": seed, "rate": 0.5, "kinds": ["unavailable", "rate_limit"]})
    seen = []
    for _ in range(12):
        try:
            shop.client.v1.balance.retrieve()
            seen.append(200)
        except stripe.StripeError as error:
            seen.append(error.http_status or 0)
    return seen


def test_random_faults_repeat_with_their_seed(shop: Shop, switch: Switch) -> None:
    first = outcomes(shop, switch, seed=4)

    assert set(first) == {200, 429, 503}
    assert outcomes(shop, switch, seed=4) == first
    assert outcomes(shop, switch, seed=5) != first


def test_a_key_is_forgotten_after_a_day(shop: Shop, switch: Switch) -> None:
    payment = shop.pay()
    first = shop.refund(payment, 100, key="old")
    before = switch("ledger", method="GET")["now"]

    switch("clock", {"advance": 24 * 3600 - 60})
    assert shop.refund(payment, 100, key="old").id == first.id
    assert switch("clock", {"advance": 61})["now"] >= before + 24 * 3600
    assert shop.refund(payment, 100, key="old").id != first.id


@pytest.mark.parametrize("end", ["failed", "canceled"])
@pytest.mark.parametrize("card", ["pm_card_pendingRefund", "pm_card_visa"])
def test_a_refund_settles_later(shop: Shop, switch: Switch, card: str, end: str) -> None:
    payment = shop.pay(card=card)
    refund = shop.refund(payment, 100)

    switch(f"refunds/{refund.id}/settle", {"status": "succeeded"})
    assert shop.refunds_of(payment)[0].status == "succeeded"
    switch(f"refunds/{refund.id}/settle", {"status": end})
    assert shop.refunds_of(payment)[0].status == end
    assert shop.charge_of(payment).amount_refunded == 0
    with pytest.raises(urllib.error.HTTPError):
        switch(f"refunds/{refund.id}/settle", {"status": "succeeded"})


def test_the_ledger_says_how_much_left(shop: Shop, switch: Switch) -> None:
    payment = shop.pay()
    refund = shop.refund(payment, 700, key="ledger", metadata={"a": "b"})

    ledger = switch("ledger", method="GET")
    (line,) = [line for line in ledger["payments"] if line["id"] == payment.id]
    assert (line["amount_captured"], line["amount_refunded"]) == (5000, 700)
    (entry,) = line["refunds"]
    assert (entry["id"], entry["amount"], entry["metadata"]) == (refund.id, 700, {"a": "b"})
    assert entry["idempotency_key"] == "ledger"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {}),
        ("faults", [1]),
        ("faults", [{"fault": "earthquake"}]),
        ("faults", [{"fault": "hang", "colour": "red"}]),
        ("faults", [{"fault": "hang", "match": {"weather": "bad"}}]),
        ("faults/random", {"seed": 1}),
        ("faults/random", {"seed": 1, "rate": 2}),
        ("clock", {"advance": -1}),
        ("refunds/re_1/settle", {"status": "lost"}),
    ],
)
def test_a_switch_refuses_what_it_does_not_know(switch: Switch, path: str, body: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        switch(path, body)

    assert caught.value.code in (400, 404)


def test_a_web_page_cannot_press_a_switch(switch: Switch, shop: Shop) -> None:
    for headers in ({"Content-Type": "text/plain"}, {"Host": "evil.example"}):
        with pytest.raises(urllib.error.HTTPError):
            switch("faults", once("unavailable"), **headers)

    assert shop.refund(shop.pay(), 100).status == "succeeded"


def test_without_a_movable_clock_there_are_no_switches(stage: Any) -> None:
    assert stage.send("GET", "/_local/ledger").status == 404
