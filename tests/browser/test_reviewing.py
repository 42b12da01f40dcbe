"""The reviewer's path in a real browser: queue, approve, change, reject, history."""

import re

import pytest
from playwright.sync_api import expect

from approvals.models import ApprovalRequest, Decision

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RELOADED = re.compile("/admin/approvals/approvalrequest/$")


def bar(page):
    return page.locator(".cs-bar")


def check_in_reach(desk, *names: str) -> None:
    """Check that the bar has these buttons, and each is large enough and in view."""
    buttons = bar(desk.page).locator("button, a")
    expect(buttons).to_have_text(names)
    for button in buttons.all():
        box = button.bounding_box()
        assert min(box["height"], box["width"]) >= 48, (button, box)
        expect(button).to_be_in_viewport(ratio=1)


def open_from_queue(desk, title: str) -> None:
    desk.open("/admin/approvals/approvalrequest/")
    desk.look("queue")
    desk.press(desk.page.get_by_role("link", name=title))
    expect(desk.page.locator("h1")).to_contain_text(title)


def test_a_request_is_approved(desk, pending_request):
    desk.open("/admin/")
    desk.look("overview")
    open_from_queue(desk, "Refund 95.00 USD")
    desk.look("decide")
    check_in_reach(desk, "Reject", "Change", "Approve 95.00 USD")

    desk.page.get_by_label("Your reason").fill("Checked with the courier.")
    desk.press(bar(desk.page).get_by_role("button", name="Approve 95.00 USD"))

    expect(desk.page).to_have_url(RELOADED)
    expect(desk.page.get_by_text("Approved: Refund 95.00 USD")).to_be_visible()
    desk.look("queue-after-approving")
    decision = Decision.objects.get()
    assert (decision.outcome, decision.reason) == ("APPROVED", "Checked with the courier.")


def test_a_request_is_changed_and_approved(desk, pending_request):
    open_from_queue(desk, "Refund 95.00 USD")
    page = desk.page
    page.get_by_label("Your reason").fill("Half of it arrived.")
    desk.press(bar(page).get_by_role("button", name="Change"))
    desk.look("change")
    check_in_reach(desk, "Back", "Show what changes")
    page.get_by_label("Amount in USD").fill("60")
    page.get_by_label("Name 1").fill("checked_with")
    page.get_by_label("Value 1").fill("courier")
    page.get_by_label("Amount in USD").press("Enter")

    expect(page.locator("h1")).to_contain_text("Refund 60.00 USD")
    expect(page.get_by_label("Your reason")).to_have_value("Half of it arrived.")
    desk.look("confirm")
    check_in_reach(desk, "Back to the change", "Approve 60.00 USD")
    desk.press(page.get_by_role("button", name="Approve 60.00 USD"))

    expect(page).to_have_url(RELOADED)
    expect(page.get_by_text("Approved with changes: Refund 60.00 USD")).to_be_visible()
    payload = pending_request.payload_versions.get(number=2).payload
    assert (payload["amount"], payload["metadata"]["checked_with"]) == (6000, "courier")


def test_a_request_is_rejected(desk, pending_request):
    open_from_queue(desk, "Refund 95.00 USD")

    desk.page.get_by_label("Your reason").fill("The parcel was delivered.")
    desk.press(desk.page.get_by_role("button", name="Reject"))

    expect(desk.page.get_by_text("Rejected: Refund 95.00 USD")).to_be_visible()
    assert ApprovalRequest.objects.get().status == "REJECTED"


def test_without_a_reason_the_browser_asks_for_one(desk, pending_request):
    open_from_queue(desk, "Refund 95.00 USD")

    desk.press(desk.page.get_by_role("button", name="Reject"))

    expect(desk.page.get_by_label("Your reason")).to_be_focused()
    assert ApprovalRequest.objects.get().status == "PENDING"


def test_old_facts_are_refreshed_before_approving(desk, pending_request, later):
    later(minutes=11)
    open_from_queue(desk, "Refund 95.00 USD")
    approve = desk.page.get_by_role("button", name="Approve 95.00 USD")
    expect(approve).to_be_disabled()
    desk.look("decide-old-facts")

    desk.page.get_by_label("Your reason").fill("Still typing.")
    desk.press(desk.page.get_by_role("button", name="Refresh facts"))

    expect(approve).to_be_enabled()
    expect(desk.page.get_by_label("Your reason")).to_have_value("Still typing.")


def test_what_is_hidden_is_seen(desk, submit, refund_payload):
    submit(refund_payload | {"metadata": {"note": "p\u0430ypal\u202e"}}, reason="Lost\u200b.")

    open_from_queue(desk, "Refund 95.00 USD")

    expect(desk.page.locator("[data-payload]")).to_contain_text("U+202E")
    expect(desk.page.locator("[data-payload]")).to_contain_text("U+0430")
    expect(desk.page.locator(".cs-agent")).to_contain_text("U+200B")
    desk.look("decide-hidden-text")


def test_the_history_tells_it(desk, pending_request, approve, refund_payload):
    approve(pending_request, patch=refund_payload | {"amount": 6000})
    path = f"/admin/approvals/approvalrequest/{pending_request.pk}"

    desk.open(f"{path}/change/")
    expect(desk.page.get_by_text("What happened")).to_be_visible()
    desk.look("request")
    desk.press(desk.page.get_by_role("link", name="History"))
    expect(desk.page.get_by_text("payload › amount")).to_be_visible()
    desk.look("history")
    desk.press(desk.page.get_by_role("link", name="This version, whole").first)
    expect(desk.page.get_by_text("Every field at this version")).to_be_visible()
    desk.look("version")


def test_deciding_needs_no_script(open_window, reviewer, pending_request):
    desk = open_window(java_script_enabled=False)
    context = desk.page.context
    from django.test import Client

    client = Client()
    client.force_login(reviewer)
    session = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": desk.base}
    context.add_cookies([session])

    desk.open(f"/admin/approvals/approvalrequest/{pending_request.pk}/decide/")
    desk.page.get_by_label("Your reason").fill("Seen without a script.")
    desk.press(desk.page.get_by_role("button", name="Approve 95.00 USD"))

    expect(desk.page).to_have_url(RELOADED)
    assert Decision.objects.get().reason == "Seen without a script."
