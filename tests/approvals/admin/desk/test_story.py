"""The record of a request on one page: sentences, differences, seals."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from approvals.errors import SelfApprovalError
from approvals.models import ApprovalRequest
from approvals.services.refusals import record_refused_person
from audit import actors, clock
from audit.models import Leaf
from executors import services as executions
from executors.enums import HoldScope
from executors.models import Execution, ProviderEvent
from tests.approvals.admin.conftest import address
from tests.approvals.admin.desk.conftest import record_of, run, sql, text_of
from tests.conftest import make_person

pytestmark = pytest.mark.django_db


def plain(response) -> str:
    """Return what a person reads on the page."""
    words = re.sub(r"<[^>]+>", " ", text_of(response))
    return re.sub(r"\s+", " ", words)


def test_it_tells_who_asked_decided_and_carried_it_out(decided, desk):
    page = plain(desk.get(record_of(decided)))

    for sentence in (
        "The agent billing-agent proposed the action: stripe.refund, 95.00 USD, for the service",
        f"with the agent key {decided.agent_key_id}",
        "The agent billing-agent made payload version 1",
        "The provider stripe-local gave the facts, reading 1",
        "The person reviewer voted: to approve, on payload version 1, known by session",
        "The person reviewer signed the decision: approved, payload version 1",
        "The worker host-1:100 claimed the execution: status: Running",
        "The worker host-1:100 sent it: try 1",
        "The worker host-1:100 carried out the decision: status: Succeeded, re_",
        "Reason: Checked with the courier.",
    ):
        assert sentence in page
    asked = page.index("proposed the action")
    assert (
        asked
        < page.index("voted:")
        < page.index("sent it:")
        < page.index("carried out the decision")
    )


def test_it_shows_what_the_reviewer_saw_what_was_sent_and_the_answer(decided, desk):
    page = plain(desk.get(record_of(decided)))

    assert "What person:reviewer saw: the provider&#x27;s facts" in page
    assert "What the provider answered" in page
    assert "POST /v1/refunds" in page
    assert "HTTP 200" in page


def test_versions_stand_side_by_side(patched, desk):
    page = plain(desk.get(record_of(patched)))

    assert "The person reviewer made payload version 2" in page
    assert "amount before 9500 after 6000" in page
    assert "status before PENDING after APPROVED_WITH_MODIFICATIONS" in page


def test_each_row_says_its_leaf_and_checkpoint(decided, desk):
    page = plain(desk.get(record_of(decided)))

    size = Leaf.objects.count()
    for row in ApprovalRequest.history.all():
        leaf = Leaf.objects.get(table=row._meta.db_table, row=row.pk)
        seal = f"sealed: leaf {leaf.number}, in the checkpoint over {size} leaves"
        assert f"fact {row.number} · {seal}" in page
    assert "not sealed yet" not in page


def test_what_is_not_sealed_yet_says_so(log_key, pending_request, desk):
    page = plain(desk.get(record_of(pending_request)))

    assert "fact 1 · not sealed yet" in page
    assert "kept as it happened, outside the sealed record" in page


def test_a_hold_about_it_is_in_the_story_and_another_is_not(pending_request, approve, desk):
    approve(pending_request)
    execution = Execution.objects.get()
    by = {"actor": actors.system("test"), "reason": "Fraud alarm.", "at": clock.now()}
    hold = executions.set_hold(scope=HoldScope.EXECUTION, value=execution.pk, **by)
    other = executions.set_hold(scope=HoldScope.AGENT, value="agt_other", **by)

    page = plain(desk.get(record_of(pending_request)))

    assert f"set a hold: on one execution {execution.pk}" in page
    assert f"of {hold.pk}" in page
    assert other.pk not in page


def test_refusals_and_announcements_are_in_the_story(decided, approve, agent, submit, desk):
    record_refused_person(
        request_id=decided.pk,
        actor=actors.Actor(kind="person", name="admin"),
        code="self_approval",
        message="Who answers for it does not decide.",
    )
    ProviderEvent.objects.create(
        id="evt_7",
        type="refund.updated",
        execution=Execution.objects.get(),
        received_at=clock.now(),
    )

    page = plain(desk.get(record_of(decided)))

    assert "The person admin was turned away: self_approval" in page
    assert "announced refund.updated" in page


def test_hidden_characters_are_seen(submit, refund_payload, desk):
    request = submit(refund_payload, reason="Lost\u200b <b>parcel</b>.")

    page = text_of(desk.get(record_of(request)))

    assert "U+200B" in page
    assert "<b>parcel</b>" not in page


def test_it_tells_by_the_sealed_bytes_not_by_a_changed_column(decided, desk):
    row = ApprovalRequest.history.order_by("number").last()
    sql(
        "UPDATE approvals_historicalapprovalrequest SET actor='person:mallory' WHERE history_id=%s",
        row.pk,
    )

    assert "mallory" not in text_of(desk.get(record_of(decided)))


@pytest.mark.parametrize("text", [None, "no json", "[]", '{"fields": 1}', '{"fields": {}}'])
def test_a_row_without_good_bytes_is_shown_all_the_same(decided, desk, text):
    row = ApprovalRequest.history.order_by("number").first()
    sql(
        "UPDATE approvals_historicalapprovalrequest SET canonical=%s WHERE history_id=%s",
        text,
        row.pk,
    )

    for answer in (desk.get(record_of(decided)), desk.post(record_of(decided))):
        assert answer.status_code == 200
        assert "proposed the action" in text_of(answer)


def test_a_request_that_somebody_deleted_has_its_story_still(decided, desk, monkeypatch):
    nothing = lambda *_, **__: ApprovalRequest.objects.none()  # noqa: E731
    monkeypatch.setattr(ApprovalRequest.objects, "filter", nothing)

    page = text_of(desk.get(record_of(decided)))

    assert "The request itself is not there any more" in page
    assert "proposed the action" in page


def test_the_request_page_leads_to_it(decided, desk):
    assert f'href="{record_of(decided)}"' in text_of(desk.get(address("change", decided)))


@pytest.mark.parametrize("who", ["auditor", "reviewer", "admin_user"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_who_may_see_all_of_it_may_look_and_verify(who, method, decided, signed_in, request):
    browser = signed_in(request.getfixturevalue(who))

    assert getattr(browser, method)(record_of(decided)).status_code == 200


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_may_see_a_part_only_is_refused(decided, signed_in, method):
    person = make_person("partly")
    codes = ["view_approvalrequest", "view_decision", "view_review", "view_execution"]
    person.user_permissions.set(Permission.objects.filter(codename__in=codes))
    browser = signed_in(person)

    assert getattr(browser, method)(record_of(decided)).status_code == 403
    assert record_of(decided) not in text_of(browser.get(address("change", decided)))


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_agent_key_is_sent_to_the_login(decided, agent_key, method):
    answer = getattr(Client(headers={"Authorization": f"Bearer {agent_key.secret}"}), method)(
        record_of(decided)
    )

    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_nothing_else_is_answered(decided, desk, method):
    assert getattr(desk, method)(record_of(decided)).status_code == 405


@pytest.mark.parametrize("subject", ["req_none", "user:1"])
def test_what_is_no_request_is_not_found(subject, decided, desk):
    assert desk.get(record_of(subject)).status_code == 404


def test_a_retried_execution_has_each_try(pending_request, approve, desk):
    approve(pending_request)
    run(pending_request)

    assert "sent it: try 1" in plain(desk.get(record_of(pending_request)))


def test_the_refused_reviewer_stands_in_the_story(pending_request, approve, agent, desk, reviewer):
    type(agent).objects.filter(pk=agent.pk).update(owner_id=reviewer.pk)
    with pytest.raises(SelfApprovalError):
        approve(pending_request)

    assert "The person reviewer was turned away: self_approval" in plain(
        desk.get(record_of(pending_request))
    )
