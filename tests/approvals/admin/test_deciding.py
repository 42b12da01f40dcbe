"""``/admin/approvals/approvalrequest/<id>/decide/``: the page that decides."""

import json

import pytest

from approvals import services
from approvals.models import ApprovalRequest, Decision
from audit import actors
from executors.enums import Reversibility
from executors.stripe.refunds import StripeRefund
from tests.approvals.admin.conftest import QUEUE, address, text_of, vote

pytestmark = pytest.mark.django_db


def status_of(request: ApprovalRequest) -> str:
    return ApprovalRequest.objects.get(pk=request.pk).status


def test_the_address_is_the_one_that_scripts_use(pending_request):
    expected = f"/admin/approvals/approvalrequest/{pending_request.pk}/decide/"

    assert address("decide", pending_request) == expected


def test_the_page_says_what_will_happen_and_what_is_signed(browser, pending_request):
    page = text_of(browser.get(address("decide", pending_request)))

    assert "<h1>Refund 95.00 USD" in page
    assert "Approve 95.00 USD" in page
    assert "back to Visa ending 4242" in page
    assert f'name="digest" value="{vote(pending_request)["digest"]}"' in page
    assert "No rule allows this without a person." in page
    assert "It is 79 % of the payment." in page
    assert "The agent&#x27;s own words (not checked)" in page or "agent's own words" in page
    assert "Parcel never arrived." in page


def test_the_second_effect_of_fraudulent_is_said(browser, submit, refund_payload):
    request = submit(refund_payload | {"reason": "fraudulent"})

    page = text_of(browser.get(address("decide", request)))

    assert "Reason “fraudulent” has a second effect" in page
    assert "block lists." in page


def test_what_can_be_made_good_is_not_called_final(browser, pending_request, monkeypatch):
    monkeypatch.setattr(StripeRefund, "reversibility", Reversibility.COMPENSABLE)

    assert "It cannot be undone." not in text_of(browser.get(address("decide", pending_request)))


def test_looking_decides_nothing(browser, pending_request):
    for query in ("", "?outcome=approve&reason=x", "?change=1"):
        browser.get(address("decide", pending_request) + query)

    assert status_of(pending_request) == "PENDING"


def test_approving_decides_and_says_what_was_decided(browser, pending_request, reviewer):
    response = browser.post(address("decide", pending_request), vote(pending_request), follow=True)

    assert response.redirect_chain == [("/admin/approvals/approvalrequest/", 302)]
    link = f'<a href="{address("change", pending_request)}">Refund 95.00 USD'
    assert f"Approved: {link}" in text_of(response)
    decision = Decision.objects.get()
    assert decision.reason == "Checked with the courier."
    assert pending_request.reviews.get().reviewer == reviewer


def test_rejecting_decides_too(browser, pending_request):
    browser.post(address("decide", pending_request), vote(pending_request, outcome="reject"))

    assert status_of(pending_request) == "REJECTED"


def test_a_changed_payload_is_approved_with_modifications(browser, pending_request, refund_payload):
    changed = json.dumps(refund_payload | {"amount": 6000})

    browser.post(address("decide", pending_request), vote(pending_request, payload=changed))

    assert status_of(pending_request) == "APPROVED_WITH_MODIFICATIONS"
    assert Decision.objects.get().diff == [{"op": "replace", "path": "/amount", "value": 6000}]


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"reason": ""}, 400, "Give a reason"),
        ({"reason": "  "}, 400, "Give a reason"),
        ({"reason": None}, 400, "Give a reason"),
        ({"outcome": "maybe"}, 400, "maybe is not one of the available choices"),
        ({"outcome": None}, 400, "Choose: approve or reject."),
        ({"digest": None}, 400, "digest of what you saw is missing"),
        ({"digest": "0" * 64}, 409, "changed since you looked"),
        ({"payload": "{"}, 400, "is not JSON"),
        ({"payload": '{"amount":1,"amount":2}'}, 400, "twice"),
        ({"payload": '{"amount": 1.5}'}, 400, "no fraction"),
        ({"payload": "[1]"}, 400, "must be a JSON object"),
        ({"payload": "{}"}, 400, "required"),
    ],
)
def test_what_cannot_be_understood_is_refused_and_kept(
    browser, pending_request, changes, status, says
):
    response = browser.post(address("decide", pending_request), vote(pending_request, **changes))

    page = text_of(response)
    assert response.status_code == status
    assert says in page
    assert 'role="alert"' in page
    assert status_of(pending_request) == "PENDING"
    if changes.get("reason", "kept") == "kept":
        assert "Checked with the courier.</textarea>" in page


@pytest.mark.parametrize(
    ("patch", "says"),
    [
        ({"amount": 9501}, "only lower the amount"),
        ({"payment_intent": "pi_another00000000"}, "cannot be changed"),
        ({"currency": "eur"}, "cannot be changed"),
        ({"amount": 0}, "At least 1 is allowed"),
        ({"extra": 1}, "is not known"),
        ({"metadata": {}}, "not change or remove"),
    ],
)
def test_an_invalid_change_is_refused_and_kept(
    browser, pending_request, refund_payload, patch, says
):
    changed = json.dumps(refund_payload | patch)

    response = browser.post(
        address("decide", pending_request), vote(pending_request, payload=changed)
    )

    page = text_of(response)
    assert response.status_code == 400
    assert says in page
    assert "Your change is kept." in page
    assert status_of(pending_request) == "PENDING"


def test_a_newer_snapshot_makes_the_page_stale(browser, pending_request):
    seen = vote(pending_request)
    services.refresh_facts(request_id=pending_request.pk)

    response = browser.post(address("decide", pending_request), seen)

    page = text_of(response)
    assert response.status_code == 409
    assert "changed since you looked" in page
    assert vote(pending_request)["digest"] in page
    assert "Checked with the courier.</textarea>" in page


def test_old_facts_disable_approving_and_are_refused(browser, pending_request, later):
    later(minutes=11)

    page = text_of(browser.get(address("decide", pending_request)))
    response = browser.post(address("decide", pending_request), vote(pending_request))

    assert "The facts are too old: refresh them" in page
    assert 'value="approve" disabled' in page
    assert response.status_code == 409
    assert status_of(pending_request) == "PENDING"


def test_refreshing_reads_again_and_keeps_the_reason(browser, pending_request, later):
    later(minutes=11)

    response = browser.post(address("refresh", pending_request), {"reason": "I am still typing"})

    page = text_of(response)
    assert pending_request.facts.count() == 2
    assert "I am still typing</textarea>" in page
    assert 'value="approve" disabled' not in page


def test_looking_never_refreshes(browser, pending_request):
    assert browser.get(address("refresh", pending_request)).status_code == 405
    assert pending_request.facts.count() == 1


def test_an_action_that_is_no_longer_offered_can_still_be_read(browser, pending_request):
    ApprovalRequest.objects.filter(pk=pending_request.pk).update(action_version=99)

    listed = browser.get("/admin/approvals/approvalrequest/")
    shown = browser.get(address("change", pending_request))
    history = browser.get(address("history", pending_request))
    posted = browser.post(address("decide", pending_request), {"outcome": "approve"})
    refreshed = browser.post(address("refresh", pending_request), {})

    assert "no longer offered here" in text_of(listed)
    assert (shown.status_code, history.status_code) == (200, 200)
    assert (posted.status_code, refreshed.status_code) == (302, 302)
    assert status_of(pending_request) == "PENDING"


def test_a_request_without_facts_cannot_be_approved(browser, submit, refund_payload, settings):
    settings.COUNTERSIGN_READ_FACTS = False
    request = submit(refund_payload)

    page = text_of(browser.get(address("decide", request)))
    response = browser.post(address("decide", request), vote(request))
    refreshed = browser.post(address("refresh", request), {"reason": "x"})

    assert 'value="approve" disabled' in page
    assert response.status_code == 409
    assert "has not been read yet" in text_of(response)
    assert refreshed.status_code == 503
    assert "did not answer" in text_of(refreshed)


def test_facts_that_forbid_it_are_shown_and_refuse(
    browser, pending_request, stripe_client, payment
):
    stripe_client.v1.refunds.create({"payment_intent": payment.id, "amount": 11000})
    services.refresh_facts(request_id=pending_request.pk)

    page = text_of(browser.get(address("decide", pending_request)))
    response = browser.post(address("decide", pending_request), vote(pending_request))

    assert "This cannot be approved as it is." in page
    assert 'value="approve" disabled' in page
    assert response.status_code == 400
    assert status_of(pending_request) == "PENDING"


def test_what_is_decided_already_stays_decided(browser, pending_request, reject):
    seen = vote(pending_request)
    reject(pending_request)

    response = browser.post(address("decide", pending_request), seen)
    looked = browser.get(address("decide", pending_request), follow=True)

    assert response.status_code == 409
    assert "no longer open: rejected" in text_of(response)
    assert "no longer open: Rejected" in text_of(looked)
    assert status_of(pending_request) == "REJECTED"


def test_past_the_deadline_nothing_is_approved(browser, pending_request, later):
    later(hours=2)

    page = text_of(browser.get(address("decide", pending_request)))
    response = browser.post(address("decide", pending_request), vote(pending_request))

    assert 'value="approve"' not in page
    assert response.status_code == 409
    assert "no longer open: expired" in text_of(response)
    assert not Decision.objects.exists()


def test_a_suspended_agent_s_request_cannot_be_approved(browser, pending_request, agent):
    services.suspend_agent(agent_id=agent.pk, reason="Odd.", by=actors.system("test"))

    response = browser.post(address("decide", pending_request), vote(pending_request))

    assert response.status_code == 409
    assert "The agent is suspended." in text_of(response)


def test_a_missing_signing_key_is_said(browser, pending_request, settings, tmp_path):
    settings.COUNTERSIGN_SIGNING_KEY_FILE = tmp_path / "none.pem"

    response = browser.post(address("decide", pending_request), vote(pending_request))

    assert response.status_code == 503
    assert "signing key cannot be read" in text_of(response)
    assert status_of(pending_request) == "PENDING"


def test_an_unknown_request_is_not_found(browser):
    assert browser.get("/admin/approvals/approvalrequest/req_none/decide/").status_code == 404


def test_other_methods_are_refused(browser, pending_request):
    for name in ("decide", "patch", "refresh"):
        assert browser.put(address(name, pending_request)).status_code == 405


def test_the_list_is_where_one_goes_next(browser, pending_request):
    from django.urls import reverse

    response = browser.post(address("decide", pending_request), vote(pending_request))

    assert response["Location"] == reverse(QUEUE)
