"""The stage of the auditor's desk: sealed requests, and the pages about them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals.models import ApprovalRequest
from audit.log import services as sealer
from tests.approvals.admin.conftest import browser, signed_in, text_of
from tests.audit.evidence.conftest import decided, log_key, patched, run
from tests.audit.log.verification.conftest import sql

__all__ = [
    "browser",
    "decided",
    "log_key",
    "patched",
    "run",
    "sealer",
    "signed_in",
    "sql",
    "text_of",
]


def record_of(request: ApprovalRequest | str) -> str:
    """Return the address of the record of a request."""
    return reverse("record-story", args=[getattr(request, "pk", request)])


@pytest.fixture
def desk(signed_in: Callable[[Any], Client], auditor: Any) -> Client:
    """The auditor's browser."""
    return signed_in(auditor)
