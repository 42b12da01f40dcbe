"""``POST /api/v1/requests/{id}/withdrawal``."""

from collections.abc import Callable
from typing import Any

import pytest

from approvals.models import ApprovalRequest
from tests.approvals.api.conftest import REQUESTS, UNKNOWN_ID, Caller, problem_of

pytestmark = pytest.mark.django_db


def test_it_takes_a_pending_request_back(
    api: Caller, submitted: Callable[..., dict[str, Any]]
) -> None:
    request = submitted()

    response = api.post(f"{REQUESTS}/{request['id']}/withdrawal")

    assert response.status_code == 200
    assert response.json() == request | {"status": "WITHDRAWN"}


def test_an_empty_object_is_no_body(api: Caller, submitted: Callable[..., dict[str, Any]]) -> None:
    response = api.post(f"{REQUESTS}/{submitted()['id']}/withdrawal", b"{}")

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b'{"reason":"never mind"}', 400, "unknown_field"),
        (b"[]", 400, "not_an_object"),
        (b"{", 400, "invalid_json"),
        (b"x" * 65537, 413, "body_too_large"),
    ],
)
def test_a_body_that_says_something_is_refused(
    api: Caller, submitted: Callable[..., dict[str, Any]], data: bytes, status: int, code: str
) -> None:
    request = submitted()

    problem_of(api.post(f"{REQUESTS}/{request['id']}/withdrawal", data), status, code)

    assert ApprovalRequest.objects.get().status == "PENDING"


def test_a_body_that_is_no_json_is_refused(
    api: Caller, submitted: Callable[..., dict[str, Any]]
) -> None:
    path = f"{REQUESTS}/{submitted()['id']}/withdrawal"

    problem_of(api.post(path, b"a=b", content_type="text/plain"), 415, "unsupported_media_type")


def test_it_happens_once(api: Caller, submitted: Callable[..., dict[str, Any]]) -> None:
    path = f"{REQUESTS}/{submitted()['id']}/withdrawal"
    api.post(path)

    problem_of(api.post(path), 409, "not_pending")


def test_an_overdue_request_is_not_withdrawn(
    api: Caller, submitted: Callable[..., dict[str, Any]], later: Callable[..., None]
) -> None:
    path = f"{REQUESTS}/{submitted(expires_in=60)['id']}/withdrawal"
    later(seconds=61)

    problem_of(api.post(path), 409, "not_pending")


def test_another_agents_request_is_not_there(
    other_api: Caller, submitted: Callable[..., dict[str, Any]]
) -> None:
    request = submitted()

    problem_of(other_api.post(f"{REQUESTS}/{request['id']}/withdrawal"), 404, "not_found")

    assert ApprovalRequest.objects.get().status == "PENDING"


@pytest.mark.parametrize("request_id", [UNKNOWN_ID, "x", "%00"])
def test_an_unknown_request_is_not_there(api: Caller, request_id: str) -> None:
    problem_of(api.post(f"{REQUESTS}/{request_id}/withdrawal"), 404, "not_found")


def test_it_takes_no_query_parameter(api: Caller) -> None:
    response = api.post(f"{REQUESTS}/{UNKNOWN_ID}/withdrawal?force=1")

    problem_of(response, 400, "unknown_parameter")
