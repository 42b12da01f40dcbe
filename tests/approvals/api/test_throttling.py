"""The token buckets: in Valkey, in the process, and the way from one to the other."""

from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from approvals.api import throttling
from tests.approvals.api.conftest import REQUESTS, Broker, Caller, problem_of

#: So slow that a stall of the machine refills nothing.
RATE, BURST = 0.1, 3


@pytest.fixture(autouse=True)
def small_buckets(settings: Any) -> None:
    settings.COUNTERSIGN_RATE_PER_SECOND, settings.COUNTERSIGN_RATE_BURST = RATE, BURST


@pytest.fixture
def in_valkey(settings: Any, broker: Broker) -> Broker:
    settings.REDIS_URL = broker.url
    return broker


def empty(key_id: str) -> None:
    assert [throttling.take(key_id) for _ in range(BURST)] == [0.0] * BURST


def forget_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "_local", throttling.LocalBuckets())


def test_the_process_gives_a_burst_and_then_asks_to_wait() -> None:
    empty("a")

    assert 0 < throttling.take("a") <= 1 / RATE


def test_valkey_gives_a_burst_and_then_asks_to_wait(in_valkey: Broker) -> None:
    empty("a")

    assert 0 < throttling.take("a") <= 1 / RATE


def test_one_key_does_not_pay_for_another() -> None:
    empty("a")

    assert throttling.take("b") == 0


def test_the_process_refills_at_its_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    start = monotonic()
    monkeypatch.setattr(throttling, "monotonic", lambda: start)
    empty("a")

    monkeypatch.setattr(throttling, "monotonic", lambda: start + 2 / RATE)

    assert [throttling.take("a") for _ in range(3)] == [0, 0, pytest.approx(1 / RATE)]


def test_valkey_refills_at_its_rate(in_valkey: Broker) -> None:
    empty("a")
    client = throttling.connect(in_valkey.url)
    at = float(client.hget("countersign:rate:a", "at"))

    client.hset("countersign:rate:a", "at", f"{at - 2_000_000 / RATE:.0f}")

    assert [throttling.take("a") == 0 for _ in range(3)] == [True, True, False]


def test_a_bucket_never_holds_more_than_a_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    start = monotonic()
    throttling.take("a")
    monkeypatch.setattr(throttling, "monotonic", lambda: start + 3600)

    empty("a")

    assert throttling.take("a") > 0


def test_valkey_counts_for_all_processes(
    in_valkey: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty("a")
    forget_this_process(monkeypatch)

    assert throttling.take("a") > 0


def test_valkey_forgets_a_bucket_that_is_full_again(in_valkey: Broker) -> None:
    throttling.take("a")

    lifetime = throttling.connect(in_valkey.url).pttl("countersign:rate:a")

    assert BURST / RATE * 1000 < lifetime <= BURST / RATE * 1000 + 1000


def test_a_frozen_valkey_costs_one_short_wait(
    in_valkey: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    throttling.take("a")
    in_valkey.freeze()
    started = monotonic()

    empty("a")

    # Three calls, one short wait; without limits the first would never come back.
    assert monotonic() - started < 10 * throttling.PATIENCE
    assert caplog.text.count("does not answer") == 1
    assert throttling.take("a") > 0


def test_valkey_counts_again_after_the_pause(
    in_valkey: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty("a")
    in_valkey.freeze()
    assert throttling.take("a") == 0
    in_valkey.thaw()

    now = monotonic()
    monkeypatch.setattr(throttling, "monotonic", lambda: now + throttling.PAUSE)
    forget_this_process(monkeypatch)
    takes = [throttling.take("a") for _ in range(2 * BURST)]

    # Valkey's bucket was empty and has refilled a little; this process's would give a burst.
    key = throttling.connect(in_valkey.url).hget("countersign:rate:a", "tokens")
    assert max(takes) > 0
    assert key is not None
    assert throttling._local._buckets == {}


def test_without_valkey_the_process_counts(settings: Any, tmp_path: Path) -> None:
    settings.REDIS_URL = f"redis+socket://{tmp_path}/nobody.sock"

    empty("a")

    assert throttling.take("a") > 0


def test_the_process_remembers_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "MOST_LOCAL", 2)
    buckets = throttling.LocalBuckets()
    for key_id in ("old", "new", "old", "newest"):
        buckets.take(key_id, RATE, 1)

    # "new" was used longest ago, and was dropped; "old" is still empty.
    assert buckets.take("old", RATE, 1) > 0
    assert len(buckets._buckets) == 2


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://cache:6379/1", "redis://cache:6379/1"),
        ("rediss://u:p@cache:6380/0", "rediss://u:p@cache:6380/0"),
        ("redis+socket:///run/v.sock", "unix:///run/v.sock?db=0"),
        ("redis+socket:///run/v.sock?virtual_host=3", "unix:///run/v.sock?db=3"),
        ("redis+socket:///run/v.sock?virtual_host=/3", "unix:///run/v.sock?db=3"),
    ],
)
def test_it_understands_celerys_addresses(url: str, address: str) -> None:
    assert throttling.redis_address(url) == address


@pytest.mark.django_db
def test_the_agent_is_told_how_long_to_wait(api: Caller) -> None:
    answers = [api.get(REQUESTS) for _ in range(BURST + 1)]

    assert [answer.status_code for answer in answers] == [200] * BURST + [429]
    problem_of(answers[-1], 429, "rate_exceeded")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 10


@pytest.mark.django_db
def test_a_full_second_is_the_least_that_is_asked(
    api: Caller, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.COUNTERSIGN_RATE_PER_SECOND = 50
    now = monotonic()
    monkeypatch.setattr(throttling, "monotonic", lambda: now)
    answers = [api.get(REQUESTS) for _ in range(BURST + 1)]

    assert answers[-1].headers["Retry-After"] == "1"
