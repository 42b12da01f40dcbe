"""``GET /api/v1/requests``."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.models import ApprovalRequest
from tests.approvals.api.conftest import REQUESTS, Caller, problem_of

pytestmark = pytest.mark.django_db

AUTHENTICATION = 2
OTHER_BASE64 = "cmVxXzAwMDA"


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [request["id"] for request in response.json()["data"]]


def test_it_is_empty_at_first(api: Caller) -> None:
    assert api.get(REQUESTS).json() == {
        "object": "list",
        "data": [],
        "has_more": False,
        "next_cursor": None,
    }


def test_it_pages_from_the_newest_to_the_oldest(
    api: Caller, submitted: Callable[..., dict[str, Any]]
) -> None:
    made = [submitted()["id"] for _ in range(5)]
    pages, path = [], f"{REQUESTS}?limit=2"

    while True:
        answer = api.get(path)
        pages.append(ids(answer))
        if not answer.json()["has_more"]:
            break
        path = f"{REQUESTS}?limit=2&cursor={answer.json()['next_cursor']}"

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [request_id for page in pages for request_id in page] == sorted(made, reverse=True)


def test_a_page_that_ends_with_the_last_has_no_more(
    api: Caller, submitted: Callable[..., dict[str, Any]]
) -> None:
    submitted()
    submitted()

    answer = api.get(f"{REQUESTS}?limit=2").json()

    assert (len(answer["data"]), answer["has_more"], answer["next_cursor"]) == (2, False, None)


def test_it_shows_only_the_agents_own(
    api: Caller, other_api: Caller, submitted: Callable[..., dict[str, Any]], body: dict[str, Any]
) -> None:
    mine = submitted()
    theirs = other_api.submit(body).json()

    assert ids(api.get(REQUESTS)) == [mine["id"]]
    assert ids(other_api.get(REQUESTS)) == [theirs["id"]]


def test_another_agents_cursor_opens_nothing(
    api: Caller, other_api: Caller, submitted: Callable[..., dict[str, Any]]
) -> None:
    submitted()
    submitted()
    cursor = api.get(f"{REQUESTS}?limit=1").json()["next_cursor"]

    assert ids(other_api.get(f"{REQUESTS}?cursor={cursor}")) == []


def test_it_filters_by_the_status_that_is_shown(
    api: Caller, submitted: Callable[..., dict[str, Any]], later: Callable[..., None]
) -> None:
    withdrawn, overdue, pending = submitted(), submitted(expires_in=60), submitted()
    api.post(f"{REQUESTS}/{withdrawn['id']}/withdrawal")
    later(seconds=61)

    shown = {
        status: ids(api.get(f"{REQUESTS}?status={status}"))
        for status in ("PENDING", "EXPIRED", "WITHDRAWN", "APPROVED")
    }

    assert shown == {
        "PENDING": [pending["id"]],
        "EXPIRED": [overdue["id"]],
        "WITHDRAWN": [withdrawn["id"]],
        "APPROVED": [],
    }


def test_a_long_page_costs_no_more_queries_than_a_short_one(
    api: Caller, pending_request: ApprovalRequest, approve: Callable[..., Any],
    submitted: Callable[..., dict[str, Any]],
) -> None:  # fmt: skip
    approve(pending_request)
    submitted()
    submitted()

    with CaptureQueriesContext(connection) as captured:
        found = ids(api.get(REQUESTS))

    assert len(found) == 3
    assert len(captured) - AUTHENTICATION <= 3


@pytest.mark.parametrize(
    ("query", "code", "parameter"),
    [
        ("limit=0", "invalid_parameter", "limit"),
        ("limit=101", "invalid_parameter", "limit"),
        ("limit=ten", "invalid_parameter", "limit"),
        ("limit=99999999999999999999", "invalid_parameter", "limit"),
        ("status=pending", "invalid_parameter", "status"),
        ("status=%00", "invalid_parameter", "status"),
        ("status=PENDING&status=EXPIRED", "invalid_parameter", "status"),
        ("cursor=", "invalid_parameter", "cursor"),
        ("cursor=%00", "invalid_parameter", "cursor"),
        ("cursor=!!!", "invalid_parameter", "cursor"),
        (f"cursor={OTHER_BASE64}", "invalid_parameter", "cursor"),
        ("cursor=a", "invalid_parameter", "cursor"),
        ("agent=other", "unknown_parameter", "agent"),
        ("%00=1", "unknown_parameter", "\x00"),
        ("%ED%A0%80=1", "unknown_parameter", "\ufffd\ufffd\ufffd"),
    ],
)
def test_it_refuses_a_parameter(api: Caller, query: str, code: str, parameter: str) -> None:
    problem = problem_of(api.get(f"{REQUESTS}?{query}"), 400, code)

    assert problem["parameter"] == parameter
