"""Races between the answer to a request and the event about it: both are heard."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from audit import actors, clock
from executors import services
from executors.base import Announcement
from executors.enums import ExecutionStatus as S
from executors.errors import LostLeaseError
from executors.models import Attempt, Execution, ProviderEvent
from executors.services import due
from executors.services.settling import settle
from tests.executors.conftest import events
from tests.executors.scripted import ScriptedExecutor, done
from tests.races import naive_webhooks as naive
from tests.races.harness import PATIENCE, ROUNDS, THREADS, alternating, race, winners
from tests.races.workers import leave

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_checks")]

CARRIED_OUT = ["execution:queue", "execution:claim", "execution:intent", "execution:succeed"]


@dataclass(frozen=True, kw_only=True)
class OnItsWay:
    """A request that has left, its answer, and the event about what it made."""

    claimed: Execution
    attempt: Attempt
    announcement: Announcement

    @classmethod
    def of(cls, execution: Execution) -> "OnItsWay":
        claimed, attempt = leave(execution, worker="host:1")
        announcement = Announcement(
            id=f"evt_{execution.jti}", type="refund.failed", reference="", decision=execution.jti
        )
        return cls(claimed=claimed, attempt=attempt, announcement=announcement)

    def answer(self) -> None:
        """The worker reads the answer and writes down what it proves."""
        settle(self.claimed, self.attempt, done(), actor=actors.worker("host:1"))

    def announce(self) -> bool:
        """The event comes, and whoever is rung reads the provider at once."""
        is_new = services.note_event(announcement=self.announcement)
        self.read()
        return is_new

    def read(self) -> None:
        services.reconcile(execution_id=self.claimed.pk, worker="host:2")


def test_the_answer_and_the_event_are_both_heard(
    enqueue: Callable[..., Execution],
    executor: ScriptedExecutor,
) -> None:
    # The answer says that it succeeded; when the event comes, it has failed already.
    executor.shown = done(provider_status="failed", failed=True, failure_code="lost_card")
    for _ in range(ROUNDS):
        execution = enqueue()
        request = OnItsWay.of(execution)
        results = race(alternating(request.answer, request.announce))

        refused = [result for result in results if isinstance(result, Exception)]
        assert {type(error) for error in refused} <= {LostLeaseError}
        assert results.count(True) == 1, "one of the deliveries was the first"
        assert ProviderEvent.objects.filter(execution=execution).count() == 1
        execution.refresh_from_db()
        if execution.status == S.SUCCEEDED:
            assert execution.pk in due.due(clock.now(), limit=1000), "the event is not forgotten"
            request.read()
        execution.refresh_from_db()
        assert (execution.status, execution.error_code) == (S.REVERSED, "lost_card")
        assert events(execution) == [*CARRIED_OUT, "execution:reverse"]
        assert [attempt.outcome for attempt in execution.attempts.all()] == ["DONE"]


def test_an_event_that_comes_many_times_at_once_is_new_once(
    enqueue: Callable[..., Execution],
) -> None:
    execution = enqueue()
    for number in range(ROUNDS):
        announcement = Announcement(
            id=f"evt_{number}", type="refund.updated", reference="", decision=execution.jti
        )
        results = race([lambda told=announcement: services.note_event(announcement=told)] * THREADS)

        assert sorted(map(str, results)) == ["False"] * (THREADS - 1) + ["True"]
        assert ProviderEvent.objects.filter(pk=announcement.id).count() == 1


def test_the_naive_twin_forgets_the_event(
    enqueue: Callable[..., Execution],
) -> None:
    execution = enqueue()

    def is_lost() -> bool:
        naive.put(execution.pk, S.RUNNING)
        results: list[Any] = race(
            alternating(
                lambda: naive.answer(execution.pk),
                lambda: naive.believe(execution.pk),
            )
        )
        execution.refresh_from_db()
        return S.REVERSED in winners(results) and execution.status == S.SUCCEEDED

    assert any(is_lost() for _ in range(PATIENCE)), "the harness would not notice a broken verb"


def test_the_naive_twin_takes_an_event_twice() -> None:
    def is_lost(name: str) -> bool:
        return len(winners(race([lambda: naive.take(name)] * THREADS))) > 1

    assert any(is_lost(f"evt_{number}") for number in range(PATIENCE))
