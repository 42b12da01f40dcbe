"""The executions' admin: plain words, and the things that a named person may do."""

import pytest
from django.test import Client
from django.urls import reverse

from audit import clock
from executors import wording
from executors.enums import ExecutionStatus
from executors.models import Attempt, Execution, Hold

pytestmark = pytest.mark.django_db


@pytest.fixture
def execution(pending_request, approve):
    """A queued execution."""
    approve(pending_request)
    return Execution.objects.get()


def browser_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def browser(reviewer):
    return browser_of(reviewer)


def page(name: str, *args: str) -> str:
    return reverse(f"admin:executors_{name}", args=args)


def text_of(response) -> str:
    return response.content.decode()


def lost(execution: Execution) -> Execution:
    """Put the row where a lost answer leaves it; the services' own way there has its own tests."""
    Attempt.objects.create(
        execution=execution,
        number=1,
        fence=1,
        started_at=execution.queued_at,
        ended_at=execution.queued_at,
        outcome="AMBIGUOUS",
    )
    Execution.objects.filter(pk=execution.pk).update(status="UNKNOWN", ambiguous=True)
    execution.refresh_from_db()
    return execution


def test_every_status_has_its_words():
    for status in ExecutionStatus:
        assert wording.sentence(status)
        assert wording.tone(status) is not None


def test_the_page_says_what_the_status_means(browser, execution):
    shown = text_of(browser.get(page("execution_change", execution.pk)))

    assert "Waiting for a worker. Nothing has been sent." in shown
    assert "Hold it" in shown
    assert "Revoke the approval" in shown
    assert "Release it" not in shown


def test_what_is_unknown_is_explained(browser, execution):
    shown = text_of(browser.get(page("execution_change", lost(execution).pk)))

    assert "The outcome is unknown" in shown
    for line in ("What is known", "What is not known", "What you can do"):
        assert line in shown
    assert "Record the outcome" in shown
    assert "Hold it" not in shown


def test_a_receipt_is_shown_in_words(browser, execution):
    from executors import services

    services.run(execution_id=execution.pk, worker="test")

    shown = text_of(browser.get(page("execution_change", execution.pk)))

    assert "95.00 USD (9500 minor units)" in shown
    assert "Exactly what is sent" in shown
    assert f"cs_{execution.jti}" in shown


@pytest.mark.parametrize(
    ("verb", "status"), [("revoke", "REFUSED"), ("hold", "HELD")], ids=["revoke", "hold"]
)
def test_a_person_with_a_reason_steers(browser, execution, verb, status):
    address = page(f"execution_{verb}", execution.pk)

    looked = browser.get(address)
    without = browser.post(address, {"reason": " "})
    execution.refresh_from_db()
    before = execution.status
    done = browser.post(address, {"reason": "The customer called."})

    execution.refresh_from_db()
    assert (looked.status_code, without.status_code, before) == (200, 400, "QUEUED")
    assert done["Location"] == page("execution_change", execution.pk)
    assert execution.status == status
    newest = execution.history.first()
    assert newest.actor == "person:reviewer"
    assert newest.history_change_reason == "The customer called."


def test_what_was_held_is_released(browser, execution):
    browser.post(page("execution_hold", execution.pk), {"reason": "Wait."})
    browser.post(page("execution_release", execution.pk), {"reason": "Clear now."})

    execution.refresh_from_db()
    assert execution.status == "QUEUED"


@pytest.mark.parametrize(
    ("form", "status", "answer"),
    [
        ({"outcome": "SUCCEEDED", "provider_reference": "re_123"}, "SUCCEEDED", 302),
        ({"outcome": "FAILED"}, "FAILED", 302),
        ({"outcome": "SUCCEEDED"}, "UNKNOWN", 409),
        ({"outcome": "QUEUED"}, "UNKNOWN", 400),
        ({}, "UNKNOWN", 400),
    ],
)
def test_an_unknown_outcome_is_resolved_by_what_was_read(browser, execution, form, status, answer):
    lost(execution)

    response = browser.post(
        page("execution_resolve", execution.pk), form | {"reason": "Seen in the dashboard."}
    )

    execution.refresh_from_db()
    assert (response.status_code, execution.status) == (answer, status)


def test_what_is_over_cannot_be_steered(browser, execution):
    browser.post(page("execution_revoke", execution.pk), {"reason": "First."})

    for verb in ("revoke", "hold", "release", "resolve", "deal_with"):
        form = {"reason": "Again.", "outcome": "FAILED"}
        response = browser.post(page(f"execution_{verb}", execution.pk), form)
        assert response.status_code == 409
        assert "Again.</textarea>" in text_of(response)
    execution.refresh_from_db()
    assert execution.status == "REFUSED"


@pytest.mark.parametrize("who", ["auditor", "admin_user"])
def test_who_may_not_steer_is_refused(request, execution, who):
    client = browser_of(request.getfixturevalue(who))

    for verb in ("revoke", "hold", "release", "resolve", "deal_with"):
        address = page(f"execution_{verb}", execution.pk)
        assert client.get(address).status_code == 403
        assert client.post(address, {"reason": "x"}).status_code == 403
    shown = text_of(client.get(page("execution_change", execution.pk)))
    assert "Hold it" not in shown
    execution.refresh_from_db()
    assert execution.status == "QUEUED"


def test_a_brake_is_set_and_lifted(browser, execution):
    form = {"scope": "EVERYTHING", "value": "", "reason": "Something is odd."}

    browser.post(page("hold_set"), form)
    execution.refresh_from_db()
    held = execution.status
    hold = Hold.objects.get()
    browser.post(page("hold_lift", hold.pk), {"reason": "It was nothing."})

    execution.refresh_from_db()
    hold.refresh_from_db()
    assert (held, execution.status) == ("HELD", "QUEUED")
    assert (hold.lifted_by, hold.lift_reason) == ("person:reviewer", "It was nothing.")


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"scope": "EVERYTHING", "value": "x", "reason": "r"}, "Leave this empty"),
        ({"scope": "AGENT", "value": "", "reason": "r"}, "Say which one"),
        ({"scope": "PLANET", "value": "x", "reason": "r"}, "not one of the available choices"),
        ({"scope": "EVERYTHING", "value": "", "reason": ""}, "Write a reason."),
        ({"scope": "AGENT", "value": "billing-agent", "reason": "r"}, "not the name"),
        ({"scope": "ACTION", "value": "refunds", "reason": "r"}, "There is: stripe.refund."),
        ({"scope": "EXECUTION", "value": f"exe_{'0' * 26}", "reason": "r"}, "no such execution"),
    ],
)
def test_a_brake_that_makes_no_sense_is_refused(browser, form, says):
    response = browser.post(page("hold_set"), form)

    assert response.status_code == 400
    assert says in text_of(response)
    assert not Hold.objects.exists()


@pytest.mark.parametrize("scope", ["AGENT", "KEY", "EXECUTION"])
def test_one_thing_is_stopped_by_its_id(browser, execution, scope):
    values = {"AGENT": execution.agent, "KEY": execution.agent_key, "EXECUTION": execution.pk}

    browser.post(page("hold_set"), {"scope": scope, "value": values[scope], "reason": "x"})

    execution.refresh_from_db()
    assert execution.status == "HELD"


def test_while_a_brake_stands_the_way_out_is_to_lift_it(browser, execution):
    browser.post(page("hold_set"), {"scope": "EVERYTHING", "value": "", "reason": "Odd."})

    shown = text_of(browser.get(page("execution_change", execution.pk)))

    assert "Release it" not in shown
    assert page("hold_change", Hold.objects.get().pk) in shown
    assert "Held by reviewer: Odd." in shown


def test_a_brake_on_this_execution_alone_is_released_here(browser, execution):
    browser.post(page("execution_hold", execution.pk), {"reason": "Wait."})

    assert "Release it" in text_of(browser.get(page("execution_change", execution.pk)))


def test_what_waits_for_a_repair_can_be_held_and_released(browser, execution):
    Execution.objects.filter(pk=execution.pk).update(status="HELD", next_attempt_at=clock.now())

    shown = text_of(browser.get(page("execution_change", execution.pk)))

    assert "Hold it" in shown
    assert "Release it" in shown


def test_an_auditor_sets_no_brake(auditor):
    client = browser_of(auditor)

    assert client.get(page("hold_changelist")).status_code == 200
    assert "Stop something" not in text_of(client.get(page("hold_changelist")))
    assert client.post(page("hold_set"), {"scope": "EVERYTHING", "reason": "x"}).status_code == 403
    assert not Hold.objects.exists()


def test_a_superuser_in_no_group_sets_a_brake_and_lifts_none(admin_user, execution):
    client = browser_of(admin_user)
    client.post(page("hold_set"), {"scope": "EVERYTHING", "reason": "Stop."})
    [hold] = Hold.objects.all()

    assert "Lift the hold" not in text_of(client.get(page("hold_change", hold.pk)))
    assert client.post(page("hold_lift", hold.pk), {"reason": "Go on."}).status_code == 403
    hold.refresh_from_db()
    assert hold.lifted_at is None


def test_the_brakes_in_force_are_filtered(browser, execution):
    browser.post(page("hold_set"), {"scope": "ACTION", "value": "stripe.refund", "reason": "x"})

    def listed(query: str) -> int:
        return browser.get(page("hold_changelist") + query).context["cl"].result_count

    assert (listed("?in_force=yes"), listed("?in_force=no"), listed("")) == (1, 0, 1)


def test_pages_that_do_something_take_no_other_method(browser, execution):
    assert browser.put(page("execution_hold", execution.pk)).status_code == 405


def test_what_one_may_not_open_is_named_but_not_linked(outsider, execution):
    from django.contrib.auth.models import Permission

    outsider.user_permissions.add(Permission.objects.get(codename="view_agent"))
    agent = execution.agent

    shown = text_of(browser_of(outsider).get(f"/admin/approvals/agent/{agent}/change/"))

    assert ">admin</a>" not in shown
    assert "<dd>admin</dd>" in shown
