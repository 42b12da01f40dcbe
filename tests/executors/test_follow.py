"""A success is followed to its end, and taken for what the provider says it is."""

from collections.abc import Callable
from typing import Any

import pytest

from audit import clock
from executors import services, tasks
from executors.base import Provider, Receipt
from executors.enums import AttemptClass
from executors.enums import ExecutionStatus as S
from executors.models import Execution, ProviderEvent
from executors.services import due
from tests.executors.conftest import WORKER, events, run
from tests.executors.scripted import ScriptedExecutor, done, failed

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["pending", "requires_action"])
def on_its_way(request: pytest.FixtureRequest) -> str:
    """What the provider calls a refund that is still on its way."""
    return str(request.param)


@pytest.fixture
def pending(execution: Execution, executor: ScriptedExecutor, on_its_way: str) -> Execution:
    """A success whose refund is still on its way."""
    executor.answers = [done(provider_status=on_its_way)]
    run(execution)
    execution.refresh_from_db()
    return execution


def follow(execution: Execution) -> S | None:
    status = services.follow(execution_id=execution.pk, worker=WORKER)
    execution.refresh_from_db()
    return status


def is_due(execution: Execution) -> bool:
    return execution.pk in due.due(clock.now(), limit=10)


def test_a_new_status_is_kept_in_the_providers_words(pending: Execution) -> None:
    ended = pending.finished_at
    assert follow(pending) is S.SUCCEEDED

    assert (pending.provider_status, pending.finished_at) == ("succeeded", ended)
    assert events(pending)[-1] == "execution:follow"


def test_the_same_status_is_no_event(
    pending: Execution, executor: ScriptedExecutor, on_its_way: str
) -> None:
    executor.shown = done(provider_status=on_its_way)
    follow(pending)

    assert events(pending)[-1] == "execution:succeed"
    assert pending.readings.count() == 1


@pytest.mark.parametrize("ended", ["failed", "canceled"])
def test_one_that_came_back_later_is_reversed_with_an_alarm(
    pending: Execution, executor: ScriptedExecutor, alarms: Callable[[], list[str]], ended: str
) -> None:
    executor.shown = done(provider_status=ended, failed=True, failure_code="lost_card")

    assert services.reconcile(execution_id=pending.pk, worker=WORKER) is S.REVERSED
    pending.refresh_from_db()
    assert (pending.provider_status, pending.error_code) == (ended, "lost_card")
    assert pending.receipt is not None
    assert events(pending)[-1] == "execution:reverse"
    assert alarms() == ["reversed"]


def test_what_a_person_settled_has_no_amount_to_compare(
    unknown: Execution,
    executor: ScriptedExecutor,
    reviewer: Any,
    alarms: Callable[[], list[str]],
) -> None:
    services.resolve(
        execution_id=unknown.pk,
        user=reviewer,
        reason="Seen in the dashboard.",
        outcome=S.SUCCEEDED,
        provider_reference="re_1",
    )
    before = alarms()
    executor.shown = done(amount_minor=1)
    follow(unknown)

    assert unknown.provider_status == "succeeded"
    assert alarms() == before


def test_another_amount_is_an_alarm(
    pending: Execution, executor: ScriptedExecutor, alarms: Callable[[], list[str]]
) -> None:
    executor.shown = done(amount_minor=1)
    follow(pending)

    assert alarms() == ["receipt_mismatch"]


def test_what_cannot_be_read_changes_nothing(
    pending: Execution, executor: ScriptedExecutor, on_its_way: str
) -> None:
    executor.shown = failed(AttemptClass.AMBIGUOUS)

    assert follow(pending) is S.SUCCEEDED
    assert pending.provider_status == on_its_way


def test_another_account_is_not_read(
    pending: Execution,
    executor: ScriptedExecutor,
    alarms: Callable[[], list[str]],
    on_its_way: str,
) -> None:
    executor.account = Provider(kind="scripted", account="acct_2", livemode=False)
    follow(pending)

    assert pending.provider_status == on_its_way
    assert alarms() == ["wrong_account"]


def test_an_older_reading_does_not_overwrite_a_newer_one(
    pending: Execution,
    executor: ScriptedExecutor,
    monkeypatch: pytest.MonkeyPatch,
    later: Callable[..., None],
    on_its_way: str,
) -> None:
    read_back = executor.read_back

    def overtaken(reference: str) -> Receipt:
        monkeypatch.setattr(executor, "read_back", read_back)
        # SQLite's clock counts milliseconds, in which both readings would have begun.
        later(milliseconds=1)
        executor.shown = done()
        services.follow(execution_id=pending.pk, worker="host:2")
        return done(provider_status=on_its_way)

    monkeypatch.setattr(executor, "read_back", overtaken)
    follow(pending)

    assert pending.provider_status == "succeeded"
    assert pending.readings.count() == 1


def test_what_is_no_success_is_left_alone(unknown: Execution) -> None:
    assert follow(unknown) is S.UNKNOWN
    assert services.follow(execution_id="exe_forged", worker=WORKER) is None


class TestDue:
    """When the provider is read again, without any event."""

    def test_what_is_on_its_way_every_few_minutes(
        self,
        pending: Execution,
        executor: ScriptedExecutor,
        later: Callable[..., None],
        on_its_way: str,
    ) -> None:
        executor.shown = done(provider_status=on_its_way)
        assert not is_due(pending)
        later(minutes=6)
        assert is_due(pending)
        follow(pending)
        assert not is_due(pending)
        later(minutes=6)
        assert is_due(pending)

    def test_what_succeeded_at_growing_ages(
        self, execution: Execution, later: Callable[..., None]
    ) -> None:
        run(execution)
        for hours in (1, 23, 48):
            assert not is_due(execution)
            later(hours=hours)
            assert is_due(execution)
            follow(execution)
        later(days=60)
        assert not is_due(execution)

    def test_a_failed_reading_is_repeated(
        self, execution: Execution, executor: ScriptedExecutor, later: Callable[..., None]
    ) -> None:
        run(execution)
        later(hours=1)
        executor.shown = failed(AttemptClass.AMBIGUOUS)
        follow(execution)
        assert not is_due(execution)
        later(minutes=11)
        assert is_due(execution)

    def test_what_an_event_announced_even_if_its_bell_was_lost(
        self, execution: Execution, later: Callable[..., None]
    ) -> None:
        run(execution)
        ProviderEvent.objects.create(
            id="evt_1", type="refund.failed", execution=execution, received_at=clock.now()
        )
        assert is_due(execution)
        later(seconds=1)
        follow(execution)
        assert not is_due(execution)

    def test_an_unknown_more_and_more_rarely(
        self, unknown: Execution, executor: ScriptedExecutor, later: Callable[..., None]
    ) -> None:
        executor.found = failed(AttemptClass.AMBIGUOUS)
        for minutes in (1, 2, 4):
            assert is_due(unknown)
            services.reconcile(execution_id=unknown.pk, worker=WORKER)
            assert not is_due(unknown)
            later(minutes=minutes)

    def test_nothing_else(self, execution: Execution, later: Callable[..., None]) -> None:
        later(hours=1)

        assert not is_due(execution)


def test_the_task_rings_for_them(unknown: Execution, rung_to_read: list[str]) -> None:
    tasks.ring_for_readings()

    assert rung_to_read == [unknown.pk]


def test_it_stops_when_the_bell_is_broken(
    unknown: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("executors.bell.ring_to_reconcile", lambda execution_id: False)

    assert services.ring_for_readings(limit=10) == [unknown.pk]
