"""``POST /api/v1/requests``: what is stored, and what a repeated call finds."""

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.models import Agent, ApprovalRequest, PayloadVersion, Refusal
from audit.canonical import digest_of
from tests.approvals.api.conftest import REQUESTS, Caller, problem_of
from tests.conftest import issue_key

pytestmark = pytest.mark.django_db


def test_it_stores_a_pending_request(api: Caller, body: dict[str, Any]) -> None:
    response = api.submit(body)

    answer = response.json()
    stored = ApprovalRequest.objects.get()
    assert response.status_code == 201
    assert response.headers["Location"] == f"{REQUESTS}/{stored.pk}"
    assert answer == {
        "id": stored.pk,
        "object": "approval_request",
        "status": "PENDING",
        "service": "support-bot",
        "action": "stripe.refund",
        "priority": "medium",
        "reason": "",
        "payload": body["payload"],
        "payload_sha256": digest_of(body["payload"]),
        "created_at": stored.submitted_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "expires_at": stored.expires_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "review_url": f"{django_settings.COUNTERSIGN_BASE_URL}"
        f"/admin/approvals/approvalrequest/{stored.pk}/decide/",
        "decision": None,
        "execution": None,
        "supersedes": None,
        "superseded_by": None,
    }


def test_it_keeps_every_optional_field(api: Caller, body: dict[str, Any]) -> None:
    optional = {
        "priority": "critical",
        "reason": "Broken.",
        "context": {"ticket": {"id": 7}},
        "metadata": {"team": "nord"},
        "trace_id": "4bf92f3577b34da6",
        "expires_in": 600,
    }

    response = api.submit(body | optional)

    stored = ApprovalRequest.objects.get()
    assert response.status_code == 201
    for name in ("priority", "reason", "context", "metadata", "trace_id"):
        assert getattr(stored, name) == optional[name]
    assert (stored.expires_at - stored.submitted_at).total_seconds() == 600


def test_it_stores_an_alias_under_the_catalogue_name(api: Caller, body: dict[str, Any]) -> None:
    response = api.submit(body | {"action": "stripe_refund"})

    assert response.json()["action"] == "stripe.refund"


def test_hidden_characters_in_free_text_are_stored_as_they_came(
    api: Caller, body: dict[str, Any]
) -> None:
    hidden = "refund \u202e00.5\u202c \u200b\u00ad\U000e0041"

    response = api.submit(body | {"reason": hidden, "context": {hidden: hidden}})

    assert response.status_code == 201
    stored = ApprovalRequest.objects.get()
    assert (stored.reason, stored.context) == (hidden, {hidden: hidden})


def test_the_same_again_finds_the_present_state(api: Caller, body: dict[str, Any]) -> None:
    first = api.submit(body, key="same").json()
    api.post(f"{REQUESTS}/{first['id']}/withdrawal")

    again = api.submit(dict(reversed(body.items())), key="same")

    assert again.status_code == 200
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first | {"status": "WITHDRAWN"}
    assert ApprovalRequest.objects.count() == 1


def test_the_same_key_with_another_body_is_refused(api: Caller, body: dict[str, Any]) -> None:
    api.submit(body, key="same")

    response = api.submit(body | {"reason": "now with a reason"}, key="same")

    problem = problem_of(response, 422, "idempotency_key_reused")
    assert problem["parameter"] == "Idempotency-Key"
    assert ApprovalRequest.objects.count() == 1


def test_a_refused_call_consumes_no_key(api: Caller, body: dict[str, Any]) -> None:
    refused = api.submit(body | {"priority": "urgent"}, key="same")

    response = api.submit(body, key="same")

    assert (refused.status_code, response.status_code) == (400, 201)


def test_two_agents_may_use_the_same_idempotency_key(
    api: Caller, other_api: Caller, body: dict[str, Any]
) -> None:
    mine, theirs = api.submit(body, key="same"), other_api.submit(body, key="same")

    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["id"] != theirs.json()["id"]


@pytest.mark.parametrize("key", ["x", "!" * 255, "a~b:c/d=e"])
def test_it_takes_any_visible_idempotency_key(api: Caller, body: dict[str, Any], key: str) -> None:
    assert api.submit(body, key=key).status_code == 201


def test_it_names_the_field_that_the_action_refuses(api: Caller, body: dict[str, Any]) -> None:
    response = api.submit(body | {"payload": body["payload"] | {"amount": 0}})

    assert problem_of(response, 400, "invalid_payload")["field"] == "/payload/amount"


def test_it_refuses_what_the_key_does_not_allow(
    agent: Agent, no_facts: None, body: dict[str, Any]
) -> None:
    euros = issue_key(agent, currencies=["eur"])

    response = Caller(euros.secret).submit(body)

    assert problem_of(response, 403, "out_of_scope")["field"] == "/payload/currency"


def test_it_refuses_the_201st_pending_request(
    api: Caller, body: dict[str, Any], settings: Any
) -> None:
    settings.COUNTERSIGN_PENDING_PER_AGENT = 1
    api.submit(body)

    response = api.submit(body)

    problem_of(response, 429, "too_many_pending")
    assert int(response.headers["Retry-After"]) >= 1
    assert ApprovalRequest.objects.count() == 1


def test_what_ran_out_does_not_count_as_pending_although_nobody_swept(
    api: Caller, body: dict[str, Any], settings: Any, later: Any
) -> None:
    settings.COUNTERSIGN_PENDING_PER_AGENT = 1
    ran_out = api.submit(body).json()
    later(hours=25)

    response = api.submit(body)

    assert response.status_code == 201
    assert ApprovalRequest.objects.get(pk=ran_out["id"]).is_pending  # as it is stored


def test_it_reads_nothing_again_in_order_to_show_it(api: Caller, body: dict[str, Any]) -> None:
    with CaptureQueriesContext(connection) as captured:
        api.submit(body)

    reads = [
        query["sql"]
        for query in captured
        if query["sql"].startswith("SELECT") and "payloadversion" in query["sql"]
    ]
    assert captured
    assert reads == []


def test_it_stores_the_payload_once(api: Caller, body: dict[str, Any]) -> None:
    api.submit(body)

    version = PayloadVersion.objects.get()
    assert (version.number, version.payload) == (1, body["payload"])
    assert Refusal.objects.count() == 0
