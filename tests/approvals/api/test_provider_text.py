"""What the payer wrote at the provider is stored and shown, whatever is in it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from approvals.models import ApprovalRequest, User
from executors.stripe import gateway
from tests.approvals.api.conftest import Caller
from tests.executors.stripe.scripted_http import answer, scripted_http

pytestmark = pytest.mark.django_db


@pytest.fixture
def strange_payer(api: Caller, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A provider that knows a payment by somebody with NUL and half a pair in the name."""
    charge = {"id": "ch_1", "amount_captured": 12000, "amount_refunded": 0, "disputed": False}
    charge["billing_details"] = {"name": "Ann\x00a \ud800"}
    payment = {"id": "pi_1", "amount": 12000, "currency": "usd", "latest_charge": charge}
    monkeypatch.setattr(gateway, "_accounts", {})
    with scripted_http() as server:
        settings.COUNTERSIGN_READ_FACTS = True
        settings.STRIPE_API_BASE = server.base_url
        settings.STRIPE_READ_KEY = "rk_local_read123456"
        server.answers = [answer(200, payment), answer(200, {"id": "acct_1"})]
        yield


def test_a_name_that_no_store_keeps_is_no_error(
    strange_payer: None, api: Caller, body: dict[str, Any], reviewer: User
) -> None:
    response = api.submit(body)

    request = ApprovalRequest.objects.get()
    browser = Client()
    browser.force_login(reviewer)
    page = browser.get(f"/admin/approvals/approvalrequest/{request.pk}/decide/")
    assert response.status_code == 201, response.content
    assert request.facts.get().display["customer_name"] == "Ann\ufffda \ufffd"
    assert "Ann\ufffda \ufffd" in page.content.decode()
