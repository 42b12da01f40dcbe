"""History pages: who, what, when and why, field by field; and nothing else, for anybody."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import reverse
from simple_history.admin import SimpleHistoryAdmin

from approvals import services
from approvals.services.refusals import record_refused_person
from audit import actors
from audit.history import HistoryRow
from executors import findings
from executors import services as executions
from executors.enums import FindingKind, HoldScope
from executors.models import Execution
from tests.approvals.admin.conftest import address, text_of
from tests.approvals.admin.test_everything_is_view_only import write_an_erasure

pytestmark = pytest.mark.django_db

METHODS = ["post", "put", "patch", "delete"]


def history_admins() -> list[tuple[type, admin.ModelAdmin]]:
    return [
        (model, shown)
        for model, shown in admin.site._registry.items()
        if isinstance(shown, SimpleHistoryAdmin)
    ]


@pytest.fixture
def everything(pending_request, approve, refund_payload, agent):
    """At least one row, with a history, of every model that has one."""
    approve(pending_request, patch=refund_payload | {"amount": 6000})
    executions.set_hold(
        scope=HoldScope.ACTION,
        value="stripe.refund",
        reason="Test.",
        actor=actors.system("test"),
        at=agent.created_at,
    )
    findings.report(
        FindingKind.OUTSIDE_THE_GATE,
        reference="re_1",
        message="<b>",
        execution=None,
        at=agent.created_at,
    )
    Group.objects.create(name="Finance")
    record_refused_person(
        request_id=pending_request.pk, actor=actors.system("test"), code="test", message="No."
    )
    write_an_erasure(agent.created_at)


def test_every_tracked_model_is_shown_with_its_history():
    from django.apps import apps

    tracked = {
        model.tracked_model if hasattr(model, "tracked_model") else model.instance_type
        for model in apps.get_models()
        if issubclass(model, HistoryRow)
    }

    assert {model for model, _ in history_admins()} == tracked


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("who", ["admin_user", "reviewer", "auditor"])
def test_no_version_page_takes_anything_but_reading(request, signed_in, everything, who, method):
    client = signed_in(request.getfixturevalue(who))
    for model, _ in history_admins():
        row = model._default_manager.first()
        assert row is not None, model
        version = row.history.last()
        before = list(model._default_manager.order_by("pk").values())
        versions = row.history.count()
        names = model._meta.app_label, model._meta.model_name
        page = reverse("admin:{}_{}_simple_history".format(*names), args=[row.pk, version.pk])
        listing = reverse("admin:{}_{}_history".format(*names), args=[row.pk])

        posted = getattr(client, method)(page, {"status": "PENDING", "_save": "1"})
        listed = getattr(client, method)(listing, {})

        assert (posted.status_code, listed.status_code) == (405, 405), model
        assert posted["Allow"] == "GET, HEAD"
        assert list(model._default_manager.order_by("pk").values()) == before
        assert row.history.count() == versions


@pytest.mark.parametrize("who", ["admin_user", "reviewer", "auditor"])
def test_everybody_who_may_look_can_look(request, signed_in, everything, who):
    client = signed_in(request.getfixturevalue(who))
    for model, _ in history_admins():
        row = model._default_manager.first()
        names = model._meta.app_label, model._meta.model_name
        for version in row.history.all():
            page = client.get(
                reverse("admin:{}_{}_simple_history".format(*names), args=[row.pk, version.pk])
            )
            assert page.status_code == 200, model
        listing = client.get(reverse("admin:{}_{}_history".format(*names), args=[row.pk]))
        assert listing.status_code == 200, model


def test_an_outsider_sees_no_history(signed_in, outsider, pending_request):
    assert signed_in(outsider).get(address("history", pending_request)).status_code == 403


def test_an_old_version_of_a_decided_request_stays_old(
    signed_in, admin_user, pending_request, reject
):
    # The library's own page would put the request back to PENDING.
    reject(pending_request)
    first = pending_request.history.last()
    page = reverse(
        "admin:approvals_approvalrequest_simple_history", args=[pending_request.pk, first.pk]
    )

    signed_in(admin_user).post(page, {"_save": "Revert"})

    pending_request.refresh_from_db()
    assert pending_request.status == "REJECTED"


def test_a_version_says_who_did_what_when_and_why(browser, pending_request, reject):
    reject(pending_request, reason="The parcel was delivered.")

    page = text_of(browser.get(address("history", pending_request)))

    assert "reviewer rejected the request" in page
    assert "billing-agent proposed the action" in page
    assert "The parcel was delivered." in page
    assert "UTC" in page


def test_a_patched_payload_shows_each_path_that_changed(
    browser, pending_request, approve, refund_payload
):
    changed = {"amount": 6000, "metadata": {"ticket": "T-1002", "why": "x" * 400}}
    approve(pending_request, patch=refund_payload | changed)

    page = text_of(browser.get(address("history", pending_request)))

    assert "payload › amount" in page
    assert "<pre>9500</pre>" in page
    assert "<pre>6000</pre>" in page
    assert "payload › metadata › why" in page
    assert "x" * 400 in page
    assert "payload › currency" not in page.split("The first version")[0]


def test_a_long_history_is_split_into_pages_without_losing_a_difference(
    browser, agent, monkeypatch
):
    from approvals.admin.agents import AgentAdmin

    monkeypatch.setattr(AgentAdmin, "history_list_per_page", 2)
    for number in range(3):
        services.suspend_agent(agent_id=agent.pk, reason=f"{number}", by=actors.system("test"))
        services.resume_agent(agent_id=agent.pk, reason=f"{number}", by=actors.system("test"))
    listing = reverse("admin:approvals_agent_history", args=[agent.pk])

    first = browser.get(listing)
    third = browser.get(listing + "?p=3")

    assert "Older ›" in text_of(first)
    assert [bool(version.changes) for version in first.context["versions"]] == [True, True]
    assert [bool(version.changes) for version in third.context["versions"]] == [True, True]


def test_a_password_s_hash_is_never_shown(signed_in, admin_user, reviewer):
    reviewer.set_password("another long password")
    reviewer.save()
    listing = reverse("admin:approvals_user_history", args=[reviewer.pk])

    page = text_of(signed_in(admin_user).get(listing))

    assert "set the password" in page
    assert reviewer.password not in page


def test_an_unknown_version_is_not_found(browser, pending_request):
    for version in ("999999", "abc"):
        page = reverse(
            "admin:approvals_approvalrequest_simple_history", args=[pending_request.pk, version]
        )
        assert browser.get(page).status_code == 404
    assert browser.get("/admin/approvals/approvalrequest/req_none/history/").status_code == 404


def test_the_execution_s_history_is_there_too(browser, pending_request, approve):
    approve(pending_request)
    execution = Execution.objects.get()

    page = text_of(browser.get(reverse("admin:executors_execution_history", args=[execution.pk])))

    assert "reviewer queued the execution" in page


def test_an_address_that_is_no_id_is_not_found(browser):
    assert browser.get("/admin/approvals/user/abc/history/").status_code == 404
