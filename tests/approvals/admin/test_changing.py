"""Changing the payload before approving: form, differences, vote; nothing typed is lost."""

import json
import re
from html import unescape

import pytest

from approvals import services
from approvals.models import ApprovalRequest, Decision
from tests.approvals.admin.conftest import address, text_of, vote

pytestmark = pytest.mark.django_db

FORM = {
    "step": "preview",
    "reason": "Half of it arrived.",
    "field-amount": "60.00",
    "field-reason": "requested_by_customer",
}


def posted(request: ApprovalRequest, **changes: object) -> dict[str, object]:
    return FORM | {"digest": vote(request)["digest"]} | changes


def hidden(page: str, name: str) -> str:
    found = re.search(f'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return unescape(found[1])


def test_the_form_offers_what_may_be_changed_and_nothing_else(browser, pending_request):
    page = text_of(browser.get(address("patch", pending_request)))

    assert 'name="field-amount" value="95.00"' in page
    assert "At most 95.00 USD." in page
    assert 'inputmode="decimal"' in page
    assert '<option value="requested_by_customer" selected>' in page
    assert 'name="field-metadata-name"' in page
    assert "There already: ticket. Those stay." in page
    assert "field-payment_intent" not in page


def test_the_decide_page_s_query_leads_there_too(browser, pending_request):
    response = browser.get(address("decide", pending_request) + "?change=1")

    assert response["Location"] == address("patch", pending_request)


def test_the_reason_travels_from_page_to_page(browser, pending_request):
    begun = browser.post(
        address("patch", pending_request),
        {"reason": "Half of it", "digest": vote(pending_request)["digest"]},
    )
    shown = browser.post(address("patch", pending_request), posted(pending_request))

    assert "Half of it</textarea>" in text_of(begun)
    assert "Half of it arrived.</textarea>" in text_of(shown)


def test_the_differences_are_shown_and_then_approved(browser, pending_request):
    page = text_of(
        browser.post(
            address("patch", pending_request),
            posted(
                pending_request,
                **{"field-metadata-name": ["checked", ""], "field-metadata-value": ["yes", ""]},
            ),
        )
    )

    assert "<h1>Refund 60.00 USD" in page
    assert "Approve 60.00 USD" in page
    assert "metadata › checked" in page
    assert ApprovalRequest.objects.get().status == "PENDING"

    form = {name: hidden(page, name) for name in ("payload", "digest")}
    browser.post(
        address("decide", pending_request),
        form | {"outcome": "approve", "reason": "Half of it arrived."},
    )

    assert Decision.objects.get().outcome == "APPROVED_WITH_MODIFICATIONS"
    payload = pending_request.payload_versions.get(number=2).payload
    assert payload["amount"] == 6000
    assert payload["metadata"] == {"ticket": "T-1002", "checked": "yes"}


def test_the_second_effect_of_fraudulent_is_said_before_it_is_approved(browser, pending_request):
    form = posted(pending_request, **{"field-reason": "fraudulent"})

    page = text_of(browser.post(address("patch", pending_request), form))

    assert "Reason “fraudulent” has a second effect" in page
    assert "block lists." in page


def test_going_back_keeps_the_change(browser, pending_request, refund_payload):
    draft = refund_payload | {"amount": 6000, "metadata": {"ticket": "T-1002", "seen": "yes"}}

    page = text_of(
        browser.post(
            address("patch", pending_request),
            {"payload": json.dumps(draft), "digest": vote(pending_request)["digest"]},
        )
    )

    assert 'name="field-amount" value="60.00"' in page
    assert 'value="seen"' in page


def test_raw_json_works_too(browser, pending_request, refund_payload):
    raw = json.dumps(refund_payload | {"amount": 100})

    page = text_of(
        browser.post(
            address("patch", pending_request), posted(pending_request, step="raw", raw=raw)
        )
    )

    assert "<h1>Refund 1.00 USD" in page


def test_emptying_an_optional_field_takes_it_out(browser, pending_request):
    page = text_of(
        browser.post(
            address("patch", pending_request), posted(pending_request, **{"field-reason": ""})
        )
    )

    assert "reason" not in json.loads(hidden(page, "payload"))
    assert "taken away" in page


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"field-amount": "95.01"}, "only lower the amount"),
        ({"field-amount": "0"}, "At least 1 is allowed"),
        ({"field-amount": "-1"}, "digits and a point only"),
        ({"field-amount": "60,50"}, "digits and a point only"),
        ({"field-amount": "６０"}, "digits and a point only"),
        ({"field-amount": "1e3"}, "digits and a point only"),
        ({"field-amount": "1.005"}, "USD has 2 decimals"),
        ({"field-amount": ""}, "This field is required"),
        ({"field-amount": "95.00"}, "Nothing is changed yet."),
        ({"field-reason": "because"}, "not one of the available choices"),
        ({"field-metadata-name": "a b", "field-metadata-value": "x"}, 'role="alert"'),
        ({"field-metadata-name": "ticket", "field-metadata-value": "x"}, "is there already"),
        ({"field-metadata-name": "x", "field-metadata-value": ""}, "a name and a value"),
        ({"step": "raw", "raw": "{"}, "is not JSON"),
        ({"step": "raw", "raw": ""}, "required"),
        ({"step": "raw", "raw": '{"amount": 1}'}, "required"),
    ],
)
def test_what_cannot_be_changed_so_is_said_and_kept(browser, pending_request, changes, says):
    response = browser.post(address("patch", pending_request), posted(pending_request, **changes))

    page = text_of(response)
    assert response.status_code == 400
    assert says in page
    assert "Half of it arrived.</textarea>" in page
    if "field-amount" in changes:
        assert f'name="field-amount" value="{changes["field-amount"]}"' in page or (
            changes["field-amount"] == ""
        )


def test_a_stale_page_leads_back_to_the_facts_with_the_change_kept(browser, pending_request):
    seen = posted(pending_request)
    services.refresh_facts(request_id=pending_request.pk)

    response = browser.post(
        address("patch", pending_request), seen | {"payload": '{"amount":6000}'}
    )

    page = text_of(response)
    assert response.status_code == 409
    assert "changed since you looked" in page
    assert "Your change is kept." in page


def test_who_may_not_decide_may_not_begin(signed_in, auditor, pending_request):
    response = signed_in(auditor).get(address("patch", pending_request))

    assert response.status_code == 403
    assert "field-amount" not in text_of(response)


def test_what_is_decided_cannot_be_changed(browser, pending_request, reject):
    reject(pending_request)

    response = browser.get(address("patch", pending_request))

    assert response.status_code == 302


def test_a_change_that_cannot_be_read_begins_anew(browser, pending_request):
    page = text_of(browser.post(address("patch", pending_request), {"draft": "{"}))

    assert 'name="field-amount" value="95.00"' in page


def test_without_facts_a_change_can_be_prepared_but_not_approved(
    browser, submit, refund_payload, settings
):
    settings.COUNTERSIGN_READ_FACTS = False
    request = submit(refund_payload)

    page = text_of(browser.post(address("patch", request), posted(request)))

    assert "<h1>Refund 60.00 USD" in page
    assert 'value="approve" disabled' in page
