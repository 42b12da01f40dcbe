"""The admin as a whole: signing in, the label, the sidebar, the counts."""

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit import words
from executors import services as executions
from executors.models import Execution
from tests.approvals.admin.conftest import QUEUE, address, text_of
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

LOGIN = "/admin/login/"


def test_a_person_signs_in_and_sees_the_overview(reviewer):
    client = Client()

    response = client.post(LOGIN, {"username": "reviewer", "password": PASSWORD}, follow=True)

    assert response.redirect_chain == [("/admin/", 302)]
    assert "What needs your eye" in text_of(response)


def test_after_five_failures_signing_in_is_closed_for_a_while(reviewer):
    client = Client()
    wrong = {"username": "reviewer", "password": "wrong"}

    answers = [client.post(LOGIN, wrong).status_code for _ in range(5)]
    closed = client.post(LOGIN, {"username": "reviewer", "password": PASSWORD})

    assert answers[:4] == [200] * 4
    assert closed.status_code == 429
    assert "closed for a quarter of an hour" in text_of(closed)
    assert not client.session.get("_auth_user_id")


def test_somebody_else_can_still_sign_in(reviewer, auditor):
    client = Client()
    for _ in range(6):
        client.post(LOGIN, {"username": "reviewer", "password": "wrong"})

    response = client.post(LOGIN, {"username": "auditor", "password": PASSWORD})

    assert response.status_code == 302


def test_the_session_ends_after_half_an_hour_of_silence(browser):
    response = browser.get("/admin/")

    assert response.cookies["sessionid"]["httponly"]
    [session] = Session.objects.all()
    assert timedelta(minutes=29) < session.expire_date - timezone.now() <= timedelta(minutes=30)
    Session.objects.update(expire_date=session.expire_date - timedelta(minutes=31))
    assert browser.get("/admin/").status_code == 302, "it asks to sign in"


@pytest.mark.parametrize("name", ["decide", "patch", "change", "history"])
def test_every_page_says_that_this_is_the_local_stripe(browser, pending_request, name):
    assert "Local Stripe" in text_of(browser.get(address(name, pending_request)))


@pytest.mark.parametrize("page", [LOGIN, "/admin/", "/admin/approvals/approvalrequest/"])
def test_so_do_the_pages_around_it(browser, provider, page):
    client = Client() if page == LOGIN else browser

    assert "Local Stripe" in text_of(client.get(page))


def test_production_says_nothing(browser, settings):
    settings.STRIPE_API_BASE = ""
    settings.COUNTERSIGN_ENV = "production"

    assert "cs-tag" not in text_of(browser.get("/admin/"))


def counts_of(page) -> dict[str, int]:
    return {count["text"]: count["number"] for count in page.context["counts"]}


def test_the_overview_counts_what_needs_an_eye(browser, reviewer, submit, refund_payload, approve):
    submit(refund_payload)
    approve(submit(refund_payload | {"amount": 100}))
    executions.hold(execution_id=Execution.objects.get().pk, user=reviewer, reason="Wait.")

    page = browser.get("/admin/")

    assert counts_of(page) == {
        "waiting for you": 1,
        "need a person": 0,
        "held": 1,
        "outcome unknown": 0,
        "taken back by the provider": 0,
        "refused by the provider": 0,
        "refused by us": 0,
        "open findings at the provider": 0,
        "findings in the record: it was not verified yet": 0,
    }
    for count in page.context["counts"]:
        assert browser.get(count["link"]).status_code == 200


def test_what_ran_out_is_not_counted_as_waiting(browser, pending_request, later):
    later(hours=2)

    assert counts_of(browser.get("/admin/"))["waiting for you"] == 0


@pytest.mark.parametrize("who", ["auditor", "admin_user"])
def test_the_queue_does_not_wait_for_who_cannot_decide(request, signed_in, who, pending_request):
    client = signed_in(request.getfixturevalue(who))

    assert counts_of(client.get("/admin/"))["waiting for a reviewer"] == 1
    for page in (reverse(QUEUE), address("decide", pending_request)):
        shown = text_of(client.get(page))
        assert "Waiting for a reviewer" in shown
        assert "Waiting for you" not in shown


def test_lists_write_an_instant_as_every_other_page_does(browser, approve, pending_request):
    decision = approve(pending_request)

    shown = text_of(browser.get(reverse("admin:approvals_decision_changelist")))

    assert words.instant(decision.decided_at) in shown


def test_the_bare_address_leads_to_the_admin(client):
    assert client.get("/")["Location"] == "/admin/"


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/admin/approvals/approvalrequest/req_none/change/", 404, "There is nothing here"),
        ("/admin/executors/hold/set/", 403, "You may not do this"),
    ],
)
def test_a_dead_end_has_words_and_a_way_back(signed_in, auditor, path, status, says):
    page = signed_in(auditor).get(path)

    assert page.status_code == status
    assert says in text_of(page)
    assert 'href="/admin/"' in text_of(page)


def test_every_list_has_a_title_of_its_own_and_says_when_it_is_empty(signed_in, admin_user):
    client = signed_in(admin_user)
    for path, title in {
        "/admin/": "Overview",
        reverse(QUEUE): "Waiting for a reviewer",
        reverse("admin:executors_hold_changelist"): "Holds",
        reverse("admin:approvals_user_changelist"): "People",
        reverse("admin:auth_group_changelist"): "Groups",
    }.items():
        found = re.search(r"<title>\s*(.*?)\s*</title>", text_of(client.get(path)), re.DOTALL)
        assert found is not None
        assert found[1] == f"{title} | Countersign"
    empty = text_of(client.get(reverse("admin:executors_hold_changelist") + "?q=x"))
    assert "Nothing matches this search and these filters." in empty


def test_an_outsider_is_told_whom_to_ask(signed_in, outsider):
    page = text_of(signed_in(outsider).get("/admin/"))

    assert "Ask an administrator." in page


def active(page) -> list[str]:
    items = [item for group in page.context["sidebar_navigation"] for item in group["items"]]
    return [item["title"] for item in items if item["active"]]


def test_one_link_of_the_sidebar_is_the_present_page(browser, pending_request):
    queue = reverse(QUEUE)

    assert active(browser.get(queue)) == ["Waiting for you"]
    assert active(browser.get(queue + "?status=all")) == ["All requests"]
    assert active(browser.get(reverse("admin:executors_hold_changelist"))) == ["Holds"]
    assert active(browser.get("/admin/")) == []


def test_the_sidebar_says_how_many_wait(browser, pending_request):
    items = browser.get("/admin/").context["sidebar_navigation"][0]["items"]

    assert items[0]["badge"] == 1


def test_no_page_can_be_framed_or_run_a_stranger_s_script(browser, pending_request):
    response = browser.get(address("decide", pending_request))

    policy = response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self' 'unsafe-eval';" in policy + ";"
    assert "<script" not in text_of(response)
