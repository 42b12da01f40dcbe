"""What an auditor does at the desk: reads the record, verifies it, finds it, keeps the search."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.audit.evidence.conftest import decided, patched
from tests.audit.log.conftest import log_key
from tests.browser.conftest import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

__all__ = ["decided", "log_key", "patched"]


@pytest.fixture
def window(open_window: Callable[..., Desk], auditor: Any) -> Desk:
    """The auditor's window, without script: the desk needs none."""
    entrance = open_window()
    entrance.sign_in(auditor)
    signed_in = entrance.page.context.storage_state()
    return open_window(storage_state=signed_in, java_script_enabled=False)


def test_the_record_is_read_and_verified(window: Desk, patched: Any) -> None:
    window.open(f"/admin/approvals/approvalrequest/{patched.pk}/change/")
    window.page.get_by_role("link", name="The whole record").click()
    expect(window.page.get_by_text("proposed the action").first).to_be_visible()
    window.look("record")

    for folded in window.page.locator(".cs-record summary").all():
        folded.click()
    window.look("record-unfolded")
    window.page.get_by_role("button", name="Verify now").click()

    expect(window.page.get_by_text("The record holds.")).to_be_visible()
    window.look("record-verified")
    assert window.complaints == []


def test_a_search_finds_it_and_is_kept(window: Desk, decided: Any) -> None:
    payment = decided.payload_versions.get().payload["payment_intent"]
    window.open("/admin/record/")
    window.look("search")
    window.page.get_by_label("Payment").fill(payment)
    window.page.get_by_role("button", name="Search").click()
    # On a phone nine fields stand before what was found.
    expect(window.page.get_by_role("heading", name="1 request")).to_be_in_viewport()
    window.look("search-found")

    window.page.get_by_label("Keep this search as").fill("The courier's parcel")
    window.page.get_by_role("button", name="Save the search").click()
    expect(window.page.get_by_text("Saved: The courier's parcel.")).to_be_visible()
    window.look("search-saved")

    window.page.get_by_role("link", name="Refund 95.00 USD").click()
    expect(window.page.get_by_role("button", name="Verify now")).to_be_visible()
    window.open("/admin/record/")
    window.page.get_by_role("button", name="Delete The courier's parcel").click()
    expect(window.page.get_by_text("The saved search is deleted.")).to_be_visible()
    assert window.complaints == []
