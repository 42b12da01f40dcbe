"""The stage of the admin: people signed in, and pages by name."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals import viewing
from approvals.models import ApprovalRequest

QUEUE = "admin:approvals_approvalrequest_changelist"


@pytest.fixture
def signed_in() -> Callable[[Any], Client]:
    """Return a browser in which this person is signed in."""

    def sign_in(user: Any) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def browser(signed_in: Callable[[Any], Client], reviewer: Any) -> Client:
    """The reviewer's browser."""
    return signed_in(reviewer)


def address(name: str, request: ApprovalRequest) -> str:
    """Return the address of a request's page."""
    return reverse(f"admin:approvals_approvalrequest_{name}", args=[request.pk])


def vote(request: ApprovalRequest, **changes: Any) -> dict[str, Any]:
    """Return what the decide page posts for an approval, with these changes."""
    fields = {
        "outcome": "approve",
        "reason": "Checked with the courier.",
        "digest": viewing.current_view(request).digest,
    }
    return {name: value for name, value in (fields | changes).items() if value is not None}


def text_of(response: Any) -> str:
    """Return the page as text."""
    return str(response.content.decode())
