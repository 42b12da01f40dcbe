"""``GET /api/v1/requests/{id}``."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.models import ApprovalRequest
from audit import actors, clock
from audit.history import Fact, transition
from executors.models import Execution
from tests.approvals.api.conftest import REQUESTS, UNKNOWN_ID, Caller, problem_of

pytestmark = pytest.mark.django_db

AUTHENTICATION = 2


def test_it_returns_what_was_submitted(
    api: Caller, submitted: Callable[..., dict[str, Any]]
) -> None:
    request = submitted(reason="Broken.")

    response = api.get(f"{REQUESTS}/{request['id']}")

    assert response.status_code == 200
    assert response.json() == request
    assert response.headers["Cache-Control"] == "no-store"


def test_it_shows_decision_and_execution(
    api: Caller, pending_request: ApprovalRequest, approve: Callable[..., Any]
) -> None:
    decision = approve(pending_request)

    answer = api.get(f"{REQUESTS}/{pending_request.pk}").json()

    assert answer["status"] == "APPROVED"
    assert answer["decision"] == {
        "id": decision.pk,
        "outcome": "APPROVED",
        "reason": "Checked with the courier.",
        "decided_at": decision.decided_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "expires_at": decision.expires_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "payload_version": 1,
    }
    assert answer["execution"] == {
        "status": "QUEUED",
        "provider_status": None,
        "receipt": None,
        "error": None,
    }


def test_it_shows_why_an_execution_went_wrong(
    api: Caller, pending_request: ApprovalRequest, approve: Callable[..., Any]
) -> None:
    execution = Execution.objects.get(jti=approve(pending_request).pk)
    fact = Fact(actor=actors.system("test"), event="execution:refuse", at=clock.now())
    changes = {
        "status": "REFUSED",
        "finished_at": fact.at,
        "error_code": "facts_changed",
        "error_message": "The payment was refunded meanwhile.",
    }
    transition(execution, fact, guard={"status": "QUEUED"}, changes=changes)

    answer = api.get(f"{REQUESTS}/{pending_request.pk}").json()

    assert answer["execution"]["status"] == "REFUSED"
    assert answer["execution"]["error"] == {
        "code": "facts_changed",
        "message": "The payment was refunded meanwhile.",
    }


def test_past_its_deadline_it_has_expired_even_without_the_sweep(
    api: Caller, submitted: Callable[..., dict[str, Any]], later: Callable[..., None]
) -> None:
    request = submitted(expires_in=60)
    later(seconds=61)

    answer = api.get(f"{REQUESTS}/{request['id']}").json()

    assert answer["status"] == "EXPIRED"


def test_it_needs_three_queries_at_most(
    api: Caller, pending_request: ApprovalRequest, approve: Callable[..., Any]
) -> None:
    path = f"{REQUESTS}/{pending_request.pk}"
    api.get(path)  # notes the key's use, once a minute
    with CaptureQueriesContext(connection) as while_pending:
        api.get(path)
    approve(pending_request)
    with CaptureQueriesContext(connection) as when_decided:
        api.get(path)

    assert len(while_pending) - AUTHENTICATION <= 3
    assert len(when_decided) - AUTHENTICATION <= 3


def test_another_agents_request_is_not_there(
    other_api: Caller, submitted: Callable[..., dict[str, Any]]
) -> None:
    request = submitted()

    theirs = other_api.get(f"{REQUESTS}/{request['id']}")
    unknown = other_api.get(f"{REQUESTS}/{UNKNOWN_ID}")

    problem_of(theirs, 404, "not_found")
    # Nothing tells the two apart but the id that was asked for.
    same = ("type", "title", "status", "code")
    assert [theirs.json()[name] for name in same] == [unknown.json()[name] for name in same]


@pytest.mark.parametrize("path_id", ["x", "req_", "%00", "req_%00", "%F0%9F%98%80", "1%27--"])
def test_what_cannot_be_an_id_is_not_there(api: Caller, path_id: str) -> None:
    problem_of(api.get(f"{REQUESTS}/{path_id}"), 404, "not_found")


@pytest.mark.parametrize("query", ["wait=0", "wait=25", "until=decided", "wait=5&until=settled"])
def test_it_takes_what_to_wait_for(
    api: Caller, submitted: Callable[..., dict[str, Any]], query: str
) -> None:
    assert api.get(f"{REQUESTS}/{submitted()['id']}?{query}").status_code == 200


@pytest.mark.parametrize(
    ("query", "code", "parameter"),
    [
        ("wait=26", "invalid_parameter", "wait"),
        ("wait=-1", "invalid_parameter", "wait"),
        ("wait=1.5", "invalid_parameter", "wait"),
        ("wait=%EF%BC%91", "invalid_parameter", "wait"),
        ("wait=01", "invalid_parameter", "wait"),
        ("wait=", "invalid_parameter", "wait"),
        ("wait=1&wait=2", "invalid_parameter", "wait"),
        ("until=never", "invalid_parameter", "until"),
        ("until=%00", "invalid_parameter", "until"),
        ("format=json", "unknown_parameter", "format"),
        ("WAIT=1", "unknown_parameter", "WAIT"),
    ],
)
def test_it_refuses_a_parameter(api: Caller, query: str, code: str, parameter: str) -> None:
    response = api.get(f"{REQUESTS}/{UNKNOWN_ID}?{query}")

    assert problem_of(response, 400, code)["parameter"] == parameter
