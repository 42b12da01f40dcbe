"""Errors: one form (RFC 9457), from whichever layer they come."""

import ast
import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from django.db import InterfaceError, InternalError, OperationalError

from approvals.api import errors, queries
from approvals.errors import InvalidInputError, OutOfScopeError
from audit.errors import ConflictError, KeyFileError
from tests.approvals.api.conftest import REQUESTS, UNKNOWN_ID, Caller, problem_of

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    "path",
    ["/api/v1/request", "/api/v1/requests/", "/api/", "/api/v2/requests", "/.well-known/x"],
)
def test_an_unknown_address_is_a_problem_too(api: Caller, path: str) -> None:
    problem_of(api.get(path), 404, "not_found")


def test_people_still_get_pages(api: Caller) -> None:
    response = api.get("/nowhere")

    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", [f"{REQUESTS}", f"{REQUESTS}/{UNKNOWN_ID}", "/api/v1/actions"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_another_method_is_refused(api: Caller, method: str, path: str) -> None:
    response = api.request(method, path)

    problem_of(response, 405, "method_not_allowed")
    assert "GET" in response.headers["Allow"]
    assert "OPTIONS" not in response.headers["Allow"]


@pytest.mark.parametrize("path", ["/healthz", "/.well-known/jwks.json", "/api/v1/openapi.json"])
def test_another_method_is_refused_without_a_key_too(stranger: Caller, path: str) -> None:
    response = stranger.request("POST", path)

    problem_of(response, 405, "method_not_allowed")
    assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "application/problem+json"])
def test_who_accepts_no_json_is_refused(api: Caller, accept: str) -> None:
    problem_of(api.get(REQUESTS, accept=accept), 406, "not_acceptable")


@pytest.mark.parametrize(
    "accept", ["", "*/*", "application/*;q=0.5", "text/html, Application/JSON; indent=4"]
)
def test_who_accepts_json_gets_it(api: Caller, accept: str) -> None:
    response = api.get(REQUESTS, accept=accept)

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"


def test_a_wrong_host_is_a_problem_too(api: Caller) -> None:
    problem_of(api.get(REQUESTS, host="evil.example"), 400, "bad_request")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RuntimeError("secret detail"), 500, "internal_error"),
        (OperationalError("secret detail"), 503, "unavailable"),
        (InterfaceError("secret detail"), 503, "unavailable"),
        (InternalError("secret detail"), 503, "unavailable"),
        (KeyFileError("secret detail"), 503, "unavailable"),
        (ConflictError("secret detail"), 409, "conflict"),
    ],
)
def test_a_crash_says_nothing_of_the_inside(
    api: Caller,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    status: int,
    code: str,
) -> None:
    def crash(**_: Any) -> None:
        raise error

    monkeypatch.setattr(queries, "get_request", crash)

    response = api.get(f"{REQUESTS}/{UNKNOWN_ID}")

    problem = problem_of(response, status, code)
    assert ("Retry-After" in response.headers) == (status == 503)
    assert "secret" not in json.dumps(problem)
    if status >= 500:
        assert problem["request_id"] in caplog.text
        assert "secret detail" in caplog.text


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RuntimeError("secret detail"), 500, "internal_error"),
        (InterfaceError("secret detail"), 503, "unavailable"),
    ],
)
def test_a_crash_outside_a_view_is_a_problem_too(
    api: Caller, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    def crash(*_: Any) -> None:
        raise error

    monkeypatch.setattr("approvals.api.public_views.openapi.document_bytes", crash)

    response = api.get("/api/v1/openapi.json")

    problem = problem_of(response, status, code)
    assert ("Retry-After" in response.headers) == (status == 503)
    assert "secret" not in json.dumps(problem)


def test_every_answer_has_an_id_of_its_own(api: Caller) -> None:
    ids = {api.get(path, **{"request-id": "mine"}).headers["Request-Id"] for path in (
        REQUESTS, "/api/v1/actions", "/healthz", "/api/docs", "/nowhere", "/api/nowhere",
    )}  # fmt: skip

    assert len(ids) == 6
    assert "mine" not in ids


def test_a_code_of_an_action_keeps_its_name_and_gets_its_class_status() -> None:
    response = errors.handle(
        InvalidInputError("Too old.", code="too_old", field="/payload/charge"), {"request": None}
    )

    assert (response.status_code, response.data["code"]) == (400, "too_old")
    assert response.data["title"] == "Bad Request"


def test_the_class_decides_the_status_not_a_code_that_looks_known() -> None:
    response = errors.handle(OutOfScopeError("No.", code="not_found"), {"request": None})

    assert response.status_code == 403


def test_the_table_is_in_order() -> None:
    for code, known in errors.PROBLEMS.items():
        assert code.replace("_", "").isalpha()
        assert code.islower()
        assert HTTPStatus(known.status) >= 400
        assert known.title[0].isupper()
        assert not known.title.endswith(".")
    assert set(errors.BY_STATUS.values()) <= set(errors.PROBLEMS)


#: Where refusals of an agent's call begin.
AT_THE_DOOR = [
    "approvals/agent_keys.py",
    "approvals/api/bodies.py",
    "approvals/api/parsing.py",
    "approvals/api/shapes.py",
    "executors/money.py",
    "executors/stripe/refunds.py",
]


@pytest.mark.parametrize("path", AT_THE_DOOR)
def test_every_code_that_an_agent_can_meet_is_in_the_table(path: str) -> None:
    tree = ast.parse((ROOT / path).read_text())
    raised = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    codes = {
        keyword.value.value
        for call in raised
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") != "ProviderError"
        for keyword in call.keywords
        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
    }

    assert codes <= set(errors.PROBLEMS)
