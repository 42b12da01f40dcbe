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
