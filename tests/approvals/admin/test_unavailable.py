"""What a reviewer sees when the database does not answer, or keeps a page waiting for too long."""

from typing import Any

import pytest
from django.db import InterfaceError, InternalError, OperationalError
from django.test import Client
from django.urls import reverse

from approvals.admin.requests import ApprovalRequestAdmin
from approvals.models import ApprovalRequest
from tests.approvals.admin.conftest import QUEUE, address, text_of, vote

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(browser: Client) -> Client:
    """A browser that shows what the server answers to a crash."""
    browser.raise_request_exception = False
    return browser


def crash_with(error: Exception) -> Any:
    def crash(*_: Any, **__: Any) -> None:
        raise error

    return crash


@pytest.mark.parametrize(
    "error",
    [OperationalError("locked"), InternalError("stood still"), InterfaceError("gone")],
)
def test_a_page_without_the_database_says_so(
    browser: Client, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ApprovalRequestAdmin, "get_queryset", crash_with(error))

    response = browser.get(reverse(QUEUE))

    assert (response.status_code, response.headers["Retry-After"]) == (503, "2")
    assert "Not available at this moment" in text_of(response)
    assert str(error) not in text_of(response)


def test_a_decision_that_waits_for_too_long_is_told_to_look_first(
    browser: Client, pending_request: ApprovalRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = vote(pending_request)
    late = crash_with(OperationalError("canceling statement due to lock timeout"))
    monkeypatch.setattr("approvals.services.deciding.lock_for_decision", late)

    response = browser.post(address("decide", pending_request), fields)

    assert response.status_code == 503
    assert "look first whether it was stored" in text_of(response)


def test_another_crash_stays_a_crash(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ApprovalRequestAdmin, "get_queryset", crash_with(ValueError("oops")))

    assert browser.get(reverse(QUEUE)).status_code == 500
