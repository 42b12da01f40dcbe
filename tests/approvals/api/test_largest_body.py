"""What the front door takes, and what a reviewer makes of it, can be signed and carried out."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from approvals.api.parsing import MOST_BYTES
from approvals.enums import Outcome
from approvals.models import ApprovalRequest, Decision
from audit.canonical import canonical_bytes
from audit.signing import tokens
from executors.enums import ExecutionStatus
from executors.models import Execution
from executors.stripe.schema import REFUND
from tests.approvals.api.conftest import Caller, problem_of
from tests.executors.conftest import run

pytestmark = pytest.mark.django_db

#: Of three bytes in UTF-8, and of six as JSON writes it: the most that one character can take.
CHINESE, CONTROL = "\u4e2d", "\x01"
METADATA = REFUND["properties"]["metadata"]
MOST_VALUES = METADATA["maxProperties"]
MOST_TEXT = METADATA["additionalProperties"]["maxLength"]


def metadata(character: str) -> dict[str, str]:
    """As much of it as the schema allows."""
    return {f"{number:040}": character * MOST_TEXT for number in range(MOST_VALUES)}


@pytest.fixture
def largest(body: dict[str, Any], payment: Any, settings: Any, provider: Any) -> bytes:
    """A body of exactly as many bytes as the front door takes, nearly all of them payload."""
    settings.COUNTERSIGN_READ_FACTS = True
    body["payload"] |= {"payment_intent": payment.id, "metadata": metadata(CHINESE)}
    body["reason"] = ""
    room = MOST_BYTES - len(encoded(body))
    assert 0 < room < 4000
    body["reason"] = "x" * min(room, 1000)
    values = body["payload"]["metadata"]
    for key in values:
        # Another character of the same text takes one byte more.
        more = min(MOST_BYTES - len(encoded(body)), MOST_TEXT)
        values[key] = "\U0001f600" * more + values[key][more:]
    return encoded(body)


def encoded(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def test_the_largest_body_is_carried_out(
    api: Caller, largest: bytes, approve: Callable[..., Decision]
) -> None:
    response = api.submit(largest)

    assert (len(largest), response.status_code) == (MOST_BYTES, 201), response.content
    decision = approve(ApprovalRequest.objects.get())
    assert len(decision.token) > 4 / 3 * 60_000
    assert run(Execution.objects.get()) is ExecutionStatus.SUCCEEDED


def test_a_larger_one_is_not_taken(api: Caller, largest: bytes) -> None:
    problem_of(api.submit(largest + b" "), 413, "body_too_large")


def test_the_largest_change_is_carried_out(
    api: Caller,
    pending_request: ApprovalRequest,
    refund_payload: dict[str, Any],
    approve: Callable[..., Decision],
) -> None:
    more = dict(list(metadata(CONTROL).items())[1:])
    patch = refund_payload | {"metadata": refund_payload["metadata"] | more}

    decision = approve(pending_request, patch=patch)

    assert decision.outcome == Outcome.APPROVED_WITH_MODIFICATIONS
    assert run(Execution.objects.get()) is ExecutionStatus.SUCCEEDED


def test_a_token_has_room_for_the_largest_payload() -> None:
    payload = {"charge": "ch_" + "1" * 200, "amount": 99_999_999, "currency": "usd"}
    payload |= {"reason": "requested_by_customer", "metadata": metadata(CONTROL)}
    size = max(MOST_BYTES, len(canonical_bytes(payload)))

    # Facts, agent and reviewers, the header and the signature: some thousand bytes.
    assert 4 / 3 * (size + 16 * 1024) < tokens.MOST_CHARACTERS
