"""Crash points after the request: events that come early, never, twice, in the wrong order, late.

Everything but the bell is real: the local Stripe signs and delivers, a web server takes it.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from audit import clock
from executors import bell, services
from executors.enums import ExecutionStatus as S
from executors.models import Execution, ProviderEvent
from executors.services import due
from executors.stripe.sandbox.process import RunningSandbox
from tests.executors.conftest import WORKER, events
from tests.executors.stripe.switches import press, webhooks
from tests.flows.polling import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

SUCCESS = ["execution:queue", "execution:claim", "execution:intent", "execution:succeed"]


@pytest.fixture(autouse=True)
def endpoint(live_server: Any, provider: RunningSandbox, settings: Any) -> Iterator[None]:
    """The local Stripe delivers to a real web server of ours, for this test."""
    settings.STRIPE_WEBHOOK_SECRET = provider.webhook_secret
    webhooks(provider, url=f"{live_server.url}/webhooks/stripe", mode="normal")
    yield
    webhooks(provider, url="", mode="normal")


@pytest.fixture
def execution(pending_request: Any, approve: Callable[..., Any]) -> Execution:
    approve(pending_request)
    return Execution.objects.get()


@pytest.fixture
def settle(provider: RunningSandbox) -> Callable[[Execution, str], None]:
    """Let the provider bring the refund to its end."""

    def bring(execution: Execution, status: str) -> None:
        press(provider, f"refunds/{execution.provider_reference}/settle", {"status": status})

    return bring


@pytest.fixture
def arrive(provider: RunningSandbox) -> Callable[[], None]:
    """Wait until every event that was sent has arrived."""

    def wait() -> None:
        wait_until(lambda: webhooks(provider)["waiting"] == 0, "every event to arrive")

    return wait


def run(execution: Execution) -> S:
    services.run(execution_id=execution.pk, worker=WORKER)
    execution.refresh_from_db()
    return S(execution.status)


def read(execution: Execution) -> S:
    """What the money worker does when it is rung."""
    services.reconcile(execution_id=execution.pk, worker=WORKER)
    execution.refresh_from_db()
    return S(execution.status)


def is_due(execution: Execution) -> bool:
    return execution.pk in due.due(clock.now(), limit=10)


def refunds(client: Any, execution: Execution) -> list[Any]:
    payment = execution.intent.body.partition("payment_intent=")[2].partition("&")[0]
    return list(client.v1.refunds.list({"payment_intent": payment}).auto_paging_iter())


class TestBeforeTheAnswer:
    """R1: the event is there before the answer to the request that caused it."""

    @pytest.fixture(autouse=True)
    def early(self, provider: RunningSandbox, endpoint: None) -> None:
        webhooks(provider, mode="before_answer")

    def test_it_finds_the_running_execution_and_changes_nothing(
        self, execution: Execution, rung_to_read: list[str], stripe_client: Any
    ) -> None:
        assert run(execution) is S.SUCCEEDED

        event = ProviderEvent.objects.get()
        attempt = execution.attempts.get()
        assert (event.execution, event.type) == (execution, "refund.created")
        assert attempt.started_at < event.received_at < attempt.ended_at
        assert rung_to_read == [execution.pk]
        assert events(execution) == SUCCESS
        assert len(refunds(stripe_client, execution)) == 1

    def test_a_reading_meanwhile_leaves_it_to_its_worker(
        self, execution: Execution, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[Any] = []

        def read_at_once(execution_id: str) -> bool:
            seen.append(services.reconcile(execution_id=execution_id, worker="host-2:1"))
            return True

        monkeypatch.setattr(bell, "ring_to_reconcile", read_at_once)

        assert run(execution) is S.SUCCEEDED
        assert seen == [S.RUNNING]
        assert events(execution) == SUCCESS
        assert is_due(execution), "the event is newer than any reading"
        assert read(execution) is S.SUCCEEDED
        assert not is_due(execution)

    def test_the_answer_may_be_lost_all_the_same(
        self,
        execution: Execution,
        provider: RunningSandbox,
        stripe_client: Any,
        later: Callable[..., None],
    ) -> None:
        press(provider, "faults", [{"match": {"method": "POST"}, "fault": "drop_after"}])

        assert run(execution) is S.RUNNING
        later(seconds=3)
        assert run(execution) is S.SUCCEEDED
        assert ProviderEvent.objects.get().execution == execution
        assert len(refunds(stripe_client, execution)) == 1


class TestNever:
    """R2: no event comes, and reading finds it."""

    def test_reading_learns_of_a_later_failure(
        self,
        execution: Execution,
        provider: RunningSandbox,
        settle: Callable[..., None],
        later: Callable[..., None],
        rung_to_read: list[str],
    ) -> None:
        webhooks(provider, mode="never")
        run(execution)
        settle(execution, "failed")
        assert not is_due(execution)

        later(hours=1)
        services.ring_for_readings(limit=10)

        assert rung_to_read == [execution.pk]
        assert read(execution) is S.REVERSED
        assert not ProviderEvent.objects.exists()


class TestTwiceAndOutOfOrder:
    """R3: each event counts once, and the newest reading counts, not the newest event."""

    def test_twice_rings_once(
        self,
        execution: Execution,
        provider: RunningSandbox,
        arrive: Callable[[], None],
        rung_to_read: list[str],
    ) -> None:
        webhooks(provider, mode="twice")
        run(execution)
        arrive()

        assert ProviderEvent.objects.count() == 1
        assert rung_to_read == [execution.pk]

    def test_the_oldest_event_last_changes_nothing_back(
        self,
        execution: Execution,
        provider: RunningSandbox,
        settle: Callable[..., None],
        arrive: Callable[[], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        webhooks(provider, mode="out_of_order")
        run(execution)
        settle(execution, "failed")
        heard: list[S] = []

        def read_at_once(execution_id: str) -> bool:
            heard.append(read(execution))
            return True

        monkeypatch.setattr(bell, "ring_to_reconcile", read_at_once)
        webhooks(provider, release=True)
        arrive()

        order = ProviderEvent.objects.order_by("received_at")
        assert [event.type for event in order] == ["refund.failed", "refund.created"]
        assert heard == [S.REVERSED, S.REVERSED]
        assert events(execution) == [*SUCCESS, "execution:reverse"]

    def test_late_events_are_as_good_as_early_ones(
        self,
        make_payment: Callable[..., Any],
        submit: Callable[..., Any],
        refund_payload: dict[str, Any],
        approve: Callable[..., Any],
        provider: RunningSandbox,
        settle: Callable[..., None],
        arrive: Callable[[], None],
        rung_to_read: list[str],
    ) -> None:
        slow = make_payment(method="pm_card_pendingRefund").id
        approve(submit(refund_payload | {"payment_intent": slow}))
        execution = Execution.objects.get()
        webhooks(provider, mode="late")
        run(execution)
        settle(execution, "succeeded")
        assert execution.provider_status == "pending"

        webhooks(provider, release=True)
        arrive()

        assert rung_to_read == [execution.pk] * 2
        assert read(execution) is S.SUCCEEDED
        assert execution.provider_status == "succeeded"


class TestReversed:
    """R4: it succeeded, and then it failed."""

    def test_history_alarm_and_agent_say_so(
        self,
        execution: Execution,
        agent_key: Any,
        settle: Callable[..., None],
        arrive: Callable[[], None],
        rung_to_read: list[str],
        alarms: Callable[[], list[str]],
    ) -> None:
        run(execution)
        settle(execution, "failed")
        arrive()

        assert rung_to_read == [execution.pk] * 2, "created, then failed"
        assert read(execution) is S.REVERSED
        assert events(execution) == [*SUCCESS, "execution:reverse"]
        assert alarms() == ["reversed"]
        shown = (
            Client()
            .get(
                f"/api/v1/requests/{execution.subject}",
                headers={"Authorization": f"Bearer {agent_key.secret}"},
            )
            .json()["execution"]
        )
        assert (shown["status"], shown["provider_status"]) == ("REVERSED", "failed")
        assert shown["error"]["code"] == "expired_or_canceled_card"
        assert shown["receipt"]["reference"] == execution.provider_reference

    def test_a_web_process_that_was_away_learns_it_from_the_repetition(
        self,
        execution: Execution,
        provider: RunningSandbox,
        settle: Callable[..., None],
        arrive: Callable[[], None],
        settings: Any,
    ) -> None:
        run(execution)
        arrive()
        settings.STRIPE_WEBHOOK_SECRET = ""
        settle(execution, "failed")
        told = wait_until(
            lambda: [d for d in webhooks(provider)["deliveries"] if d["answer"] == 404],
            "the event to be refused",
        )
        settings.STRIPE_WEBHOOK_SECRET = provider.webhook_secret
        arrive()

        assert told[-1]["type"] == "refund.failed"
        assert read(execution) is S.REVERSED
