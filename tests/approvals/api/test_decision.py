"""``GET /api/v1/requests/{id}/decision``."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

from approvals.models import ApprovalRequest
from audit.signing import keys, tokens
from tests.approvals.api.conftest import REQUESTS, UNKNOWN_ID, Caller, problem_of

pytestmark = pytest.mark.django_db


def decision_on(api: Caller, request: ApprovalRequest) -> dict[str, Any]:
    response = api.get(f"{REQUESTS}/{request.pk}/decision")
    assert response.status_code == 200, response.content
    answer: dict[str, Any] = response.json()
    return answer


def test_it_tells_an_approval(
    api: Caller,
    pending_request: ApprovalRequest,
    refund_payload: dict[str, Any],
    approve: Callable[..., Any],
) -> None:
    decision = approve(pending_request)

    answer = decision_on(api, pending_request)

    reviewed_at = answer["reviewers"][0].pop("reviewed_at")
    assert reviewed_at == answer["decided_at"]
    assert answer == {
        "id": decision.pk,
        "object": "decision",
        "request_id": pending_request.pk,
        "outcome": "APPROVED",
        "reason": "Checked with the courier.",
        "payload": refund_payload,
        "patched_payload": None,
        "payload_version": 1,
        "diff": [],
        "reviewers": [{"username": "reviewer", "verdict": "APPROVE", "payload_version": 1}],
        "decided_at": decision.decided_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "expires_at": decision.expires_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "token": decision.token,
    }


def test_it_tells_what_the_reviewer_changed(
    api: Caller,
    pending_request: ApprovalRequest,
    refund_payload: dict[str, Any],
    approve: Callable[..., Any],
) -> None:
    approve(pending_request, patch=refund_payload | {"amount": 5000})

    answer = decision_on(api, pending_request)

    assert answer["outcome"] == "APPROVED_WITH_MODIFICATIONS"
    assert answer["payload"] == refund_payload
    assert answer["patched_payload"] == refund_payload | {"amount": 5000}
    assert answer["diff"] == [{"op": "replace", "path": "/amount", "value": 5000}]
    assert answer["payload_version"] == 2


def test_it_tells_a_rejection(
    api: Caller, pending_request: ApprovalRequest, reject: Callable[..., Any]
) -> None:
    reject(pending_request)

    answer = decision_on(api, pending_request)

    assert (answer["outcome"], answer["reason"]) == ("REJECTED", "The parcel was delivered.")
    assert [review["verdict"] for review in answer["reviewers"]] == ["REJECT"]


def test_its_token_verifies_with_the_published_keys(
    api: Caller, pending_request: ApprovalRequest, approve: Callable[..., Any]
) -> None:
    approve(pending_request)
    trusted = keys.load_trusted_keys(settings.COUNTERSIGN_TRUSTED_KEYS_FILE)

    claims = tokens.verify(decision_on(api, pending_request)["token"], trusted, use=keys.DECISION)

    assert claims["sub"] == pending_request.pk


@pytest.mark.parametrize("end", ["nothing", "withdrawal"])
def test_without_a_decision_there_is_none(
    api: Caller, submitted: Callable[..., dict[str, Any]], end: str
) -> None:
    path = f"{REQUESTS}/{submitted()['id']}"
    if end == "withdrawal":
        api.post(f"{path}/withdrawal")

    problem_of(api.get(f"{path}/decision"), 404, "not_decided")


def test_another_agents_decision_is_not_there(
    other_api: Caller, pending_request: ApprovalRequest, approve: Callable[..., Any]
) -> None:
    approve(pending_request)

    problem_of(other_api.get(f"{REQUESTS}/{pending_request.pk}/decision"), 404, "not_found")


@pytest.mark.parametrize("request_id", [UNKNOWN_ID, "x", "%00"])
def test_an_unknown_request_has_no_decision(api: Caller, request_id: str) -> None:
    problem_of(api.get(f"{REQUESTS}/{request_id}/decision"), 404, "not_found")


def test_it_takes_no_query_parameter(api: Caller) -> None:
    problem_of(api.get(f"{REQUESTS}/{UNKNOWN_ID}/decision?wait=1"), 400, "unknown_parameter")
