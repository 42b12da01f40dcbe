"""A person asks for a reading now; what is read is the worker's business."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from executors import services
from executors.attention import NEEDS_A_PERSON
from executors.enums import AttemptClass
from executors.enums import ExecutionStatus as S
from executors.errors import InvalidTransitionError, NotPermittedError, NotRungError
from executors.models import Execution
from tests.executors.conftest import WORKER, run
from tests.executors.scripted import ScriptedExecutor, done, failed

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(reviewer: Any) -> Client:
    client = Client()
    client.force_login(reviewer)
    return client


def page(name: str, execution: Execution) -> str:
    return reverse(f"admin:executors_execution_{name}", args=[execution.pk])


def shown(browser: Client, execution: Execution) -> str:
    return browser.get(page("change", execution)).content.decode()


@pytest.fixture
def succeeded(execution: Execution) -> Execution:
    run(execution)
    execution.refresh_from_db()
    return execution


@pytest.mark.parametrize("which", ["unknown", "succeeded"])
def test_the_button_rings_the_money_worker(
    which: str, request: pytest.FixtureRequest, browser: Client, rung_to_read: list[str]
) -> None:
    execution = request.getfixturevalue(which)
    assert page("read", execution) in shown(browser, execution)

    looked = browser.get(page("read", execution))
    assert rung_to_read == []
    done_ = browser.post(page("read", execution), follow=True)

    assert "Nothing is sent." in looked.content.decode()
    assert rung_to_read == [execution.pk]
    assert "Reload this page in a few seconds" in done_.content.decode()
    assert execution.history.count() == execution.history.model.objects.count(), "no new fact"


@pytest.mark.parametrize("which", ["execution", "reversed_one"])
def test_it_is_not_offered_where_nothing_can_be_learnt(
    which: str, request: pytest.FixtureRequest, browser: Client, rung_to_read: list[str]
) -> None:
    execution = request.getfixturevalue(which)

    assert page("read", execution) not in shown(browser, execution)
    assert browser.post(page("read", execution)).status_code == 409
    assert rung_to_read == []


def test_a_bell_that_is_broken_is_a_sentence(
    unknown: Execution, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("executors.bell.ring_to_reconcile", lambda execution_id: False)

    response = browser.post(page("read", unknown))

    assert response.status_code == 409
    assert "It reads by itself when it is due." in response.content.decode()


@pytest.mark.parametrize("who", ["auditor", "admin_user"])
def test_only_who_may_steer(
    who: str, request: pytest.FixtureRequest, unknown: Execution, rung_to_read: list[str]
) -> None:
    client = Client()
    client.force_login(request.getfixturevalue(who))

    assert client.post(page("read", unknown)).status_code == 403
    with pytest.raises(NotPermittedError):
        services.read_again(execution_id=unknown.pk, user=request.getfixturevalue(who))
    assert rung_to_read == []


def test_the_service_says_what_is_wrong(
    execution: Execution, reviewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidTransitionError, match="is QUEUED: it is read again only while"):
        services.read_again(execution_id=execution.pk, user=reviewer)
    run(execution)
    monkeypatch.setattr("executors.bell.ring_to_reconcile", lambda execution_id: False)
    with pytest.raises(NotRungError):
        services.read_again(execution_id=execution.pk, user=reviewer)


class TestPages:
    """What is known, what is not, what comes, and what to do."""

    def test_an_unknown_that_was_never_read(self, browser: Client, unknown: Execution) -> None:
        text = shown(browser, unknown)

        assert "Move 95.00 USD" in text
        assert "It has not been read yet." in text
        assert "within a minute" in text
        assert f"the decision {unknown.jti}" in text
        assert f"cs_{unknown.jti}" in text

    def test_an_unknown_that_was_read(
        self, browser: Client, unknown: Execution, executor: ScriptedExecutor
    ) -> None:
        executor.found = failed(AttemptClass.AMBIGUOUS, "timeout")
        for _ in range(6):
            services.reconcile(execution_id=unknown.pk, worker=WORKER)

        text = shown(browser, unknown)
        assert "Read 6 times, last at" in text
        assert "could not be read (The script says timeout.)" in text
        assert "The newest of 6 readings." in text

    def test_a_reversed_one(self, browser: Client, reversed_one: Execution) -> None:
        text = shown(browser, reversed_one)

        assert "The customer does not have the money" in text
        assert "tr_1 is failed (lost_card)" in text

    def test_a_token_that_cannot_be_read_leaves_the_page_whole(
        self, browser: Client, unknown: Execution
    ) -> None:
        for changes in ({"token": "a.b.c"}, {"action": "no.such"}):
            Execution.objects.filter(pk=unknown.pk).update(**changes)

            assert "The outcome is unknown" in shown(browser, unknown)


class TestAttention:
    """The list of what needs a person, and the counts on the first page."""

    def listed(self, browser: Client) -> list[str]:
        address = reverse("admin:executors_execution_changelist")
        changes = browser.get(f"{address}?attention=yes").context["cl"]
        return [row.pk for row in changes.result_list]

    def test_unknown_and_reversed(
        self, browser: Client, unknown: Execution, enqueue: Callable[..., Execution], executor: Any
    ) -> None:
        other = enqueue()
        run(other)
        executor.shown = done(failed=True, provider_status="failed", failure_code="x")
        services.follow(execution_id=other.pk, worker=WORKER)
        enqueue()

        assert set(self.listed(browser)) == {unknown.pk, other.pk}
        index = browser.get("/admin/").content.decode()
        assert "<b>2</b><span>need a person</span>" in index
        assert "<b>1</b><span>taken back by the provider</span>" in index

    def test_what_somebody_holds_has_somebody(self, execution: Execution, reviewer: Any) -> None:
        services.hold(execution_id=execution.pk, user=reviewer, reason="Wait.")

        execution.refresh_from_db()
        assert execution.status == S.HELD
        assert not Execution.objects.filter(NEEDS_A_PERSON).exists()

    def test_held_because_the_account_is_another(
        self, execution: Execution, executor: ScriptedExecutor
    ) -> None:
        executor.account = failed(AttemptClass.CONFIGURATION, "no_right")
        run(execution)

        execution.refresh_from_db()
        assert execution.status == S.HELD
        assert Execution.objects.filter(NEEDS_A_PERSON).get() == execution
