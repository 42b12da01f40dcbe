"""An agent at the front door: real addresses, real keys, no provider unless a test asks for one."""

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from approvals.api import throttling
from approvals.models import ApprovalRequest
from approvals.services import IssuedKey
from tests.support.broker import Broker, running_broker

REQUESTS = "/api/v1/requests"
UNKNOWN_ID = "req_00000000000000000000000000"


class Caller:
    """Calls the API with one agent key, or without any."""

    def __init__(self, secret: str | None) -> None:
        self._client = Client(raise_request_exception=False)
        self._headers = {} if secret is None else {"authorization": f"Bearer {secret}"}
        self._keys = itertools.count(1)

    def get(self, path: str, **headers: str) -> Any:
        return self._client.get(path, headers=self._headers | headers)

    def post(self, path: str, data: bytes = b"", **headers: str) -> Any:
        content_type = headers.pop("content_type", "application/json")
        return self._client.post(
            path, data=data, content_type=content_type, headers=self._headers | headers
        )

    def request(self, method: str, path: str, **headers: str) -> Any:
        return self._client.generic(method, path, headers=self._headers | headers)

    def submit(self, body: Any, key: str | None = None, **headers: str) -> Any:
        """Submit a body (bytes as they are), with a fresh idempotency key unless one is given."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        key = f"key-{next(self._keys)}" if key is None else key
        return self.post(REQUESTS, data, **({"idempotency-key": key} | headers))


@pytest.fixture(autouse=True)
def own_buckets(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test starts with full buckets of its own, in this process."""
    settings.REDIS_URL = ""
    monkeypatch.setattr(throttling, "_local", throttling.LocalBuckets())
    monkeypatch.setattr(throttling, "_breaker", throttling.Breaker())


@pytest.fixture
def no_facts(settings: Any) -> None:
    """Nobody asks the provider: what is tested here happens before or after that."""
    settings.COUNTERSIGN_READ_FACTS = False


@pytest.fixture
def api(agent_key: IssuedKey, no_facts: None) -> Caller:
    """The agent."""
    return Caller(agent_key.secret)


@pytest.fixture
def other_api(other_agent_key: IssuedKey, no_facts: None) -> Caller:
    """Another agent."""
    return Caller(other_agent_key.secret)


@pytest.fixture
def stranger(db: None) -> Caller:
    """Somebody without a key."""
    return Caller(None)


@pytest.fixture
def body() -> dict[str, Any]:
    """A submission that is right in every respect."""
    return {
        "service": "support-bot",
        "action": "stripe.refund",
        "payload": {"payment_intent": "pi_3PqX1cLkdIwHu7ix", "amount": 9500, "currency": "usd"},
    }


@pytest.fixture
def submitted(api: Caller, body: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """Submit the right body, with changes; return the request object."""

    def submit(**changes: Any) -> dict[str, Any]:
        response = api.submit(body | changes)
        assert response.status_code == 201, response.content
        answer: dict[str, Any] = response.json()
        return answer

    return submit


@pytest.fixture
def pending_request(
    no_facts: None,
    settings: Any,
    submit: Callable[..., ApprovalRequest],
    refund_payload: dict[str, Any],
) -> ApprovalRequest:
    """A pending refund of 95.00 USD that can be decided: for it alone the provider is asked."""
    settings.COUNTERSIGN_READ_FACTS = True
    request = submit(refund_payload, reason="Parcel never arrived.")
    settings.COUNTERSIGN_READ_FACTS = False
    return request


def problem_of(response: Any, status: int, code: str) -> dict[str, Any]:
    """Return a problem after checking that it is a whole one of this status and code."""
    problem: dict[str, Any] = response.json()
    assert (response.status_code, problem["code"]) == (status, code), problem
    assert response.headers["Content-Type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["type"] == f"urn:countersign:problem:{code}"
    assert problem["request_id"] == response.headers["Request-Id"]
    assert problem["title"]
    assert problem["detail"]
    return problem


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A Valkey of this test's own."""
    with running_broker(tmp_path / "valkey") as running:
        yield running
