"""Races between workers: one of them carries it out, and the others write nothing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from audit import clock
from executors import services
from executors.enums import ExecutionStatus as S
from executors.errors import InvalidTransitionError, LostLeaseError
from executors.models import Execution
from tests.executors.scripted import ScriptedExecutor
from tests.races import naive_workers as naive
from tests.races.harness import (
    PATIENCE,
    ROUNDS,
    THREADS,
    Contestant,
    alternating,
    race,
    strange,
    winners,
)
from tests.races.ledgers import sent_for, story_of, tries_of
from tests.races.workers import Asleep, Waiting, work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_checks")]

Enqueue = Callable[..., Execution]
CARRIED_OUT = ["execution:queue", "execution:claim", "execution:intent", "execution:succeed"]


def test_one_of_many_claims_it(enqueue: Enqueue) -> None:
    for _ in range(ROUNDS):
        execution = enqueue()
        results = race(
            [lambda pk=execution.pk: services.claim(execution_id=pk, worker="host:1")] * THREADS
        )

        assert strange(results) == []
        assert sum(result is not None for result in results) == 1
        assert story_of(execution) == CARRIED_OUT[:2]
        assert (execution.status, execution.fence) == (S.RUNNING, 1)


def test_many_workers_send_once(enqueue: Enqueue, executor: ScriptedExecutor) -> None:
    for _ in range(ROUNDS):
        execution = enqueue()
        results = race([work(execution)] * THREADS)

        assert strange(results) == []
        assert story_of(execution) == CARRIED_OUT
        assert (execution.status, execution.fence) == (S.SUCCEEDED, 1)
        assert tries_of(execution) == [(1, "DONE")]
        assert sent_for(execution, executor) == 1


def test_a_revocation_and_a_worker_do_not_both_win(
    enqueue: Enqueue, executor: ScriptedExecutor, reviewer: Any
) -> None:
    for _ in range(ROUNDS):
        execution = enqueue()
        revoke = {"execution_id": execution.pk, "user": reviewer, "reason": "Stop."}
        results = race(alternating(work(execution), lambda given=revoke: services.revoke(**given)))

        assert strange(results, InvalidTransitionError) == []
        story = story_of(execution)
        revoked = execution.status == S.REFUSED
        assert story == ([CARRIED_OUT[0], "execution:revoke"] if revoked else CARRIED_OUT)
        assert sent_for(execution, executor) == (0 if revoked else 1)


def sweep() -> None:
    """Ring for what is due; who is rung for is run at once."""
    for execution_id in services.sweep(limit=100):
        services.run(execution_id=execution_id, worker="rung")


def test_a_worker_and_the_sweeper_send_once(enqueue: Enqueue, executor: ScriptedExecutor) -> None:
    for number in range(ROUNDS):
        execution = enqueue(at=clock.now() - timedelta(seconds=5))
        lost = [Waiting.on(execution)] if number % 2 else []
        results = race(alternating(work(execution), sweep))

        assert strange(results) == []
        story = story_of(execution)
        assert story.count("execution:reclaim") == len(lost)
        assert story.count("execution:succeed") == 1
        assert (execution.status, execution.fence) == (S.SUCCEEDED, 1 + len(lost))
        expected = [(1, "AMBIGUOUS"), (2, "DONE")] if lost else [(1, "DONE")]
        assert tries_of(execution) == expected
        assert sent_for(execution, executor) == 1 + len(lost)


def test_a_worker_that_was_taken_over_sends_nothing(
    enqueue: Enqueue, executor: ScriptedExecutor
) -> None:
    for _ in range(ROUNDS):
        execution = enqueue()
        stale = [Asleep.on(execution), Asleep.on(execution)]
        results = race([*(worker.wake for worker in stale), *[work(execution)] * (THREADS - 2)])

        assert strange(results, LostLeaseError) == []
        assert isinstance(results[0], LostLeaseError)
        assert story_of(execution).count("execution:succeed") == 1
        taken_over = isinstance(results[1], LostLeaseError)
        assert execution.fence == (3 if taken_over else 2)
        assert tries_of(execution) == [(execution.fence, "DONE")]
        assert sent_for(execution, executor) == 1


def test_the_answer_to_a_worker_that_was_taken_over_is_not_written(
    enqueue: Enqueue, executor: ScriptedExecutor
) -> None:
    for _ in range(ROUNDS):
        execution = enqueue()
        first, second = Waiting.on(execution), Waiting.on(execution)
        results = race(
            [
                lambda worker=first: worker.answer("tr_first"),
                lambda worker=second: worker.answer("tr_second"),
                *[work(execution)] * (THREADS - 2),
            ]
        )

        assert strange(results, LostLeaseError) == []
        assert isinstance(results[0], LostLeaseError)
        assert story_of(execution).count("execution:succeed") == 1
        taken_over = isinstance(results[1], LostLeaseError)
        assert execution.provider_reference == ("tr_1" if taken_over else "tr_second")
        lost = [(1, "AMBIGUOUS"), (2, "AMBIGUOUS")]
        expected = [*lost, (3, "DONE")] if taken_over else [lost[0], (2, "DONE")]
        assert tries_of(execution) == expected
        assert sent_for(execution, executor) == len(expected)


def test_nothing_is_sent_when_the_decision_s_time_ends_meanwhile(
    enqueue: Enqueue, executor: ScriptedExecutor, later: Callable[..., None]
) -> None:
    for number in range(ROUNDS):
        execution = enqueue()
        # Over already, or so near that it ends while they are on their way, later in each round.
        near = timedelta(milliseconds=number % 2 * (number % 30) * 3)
        later(seconds=(execution.expires_at - clock.now() - near).total_seconds())
        results = race(alternating(work(execution), sweep))

        assert strange(results) == []
        story = story_of(execution)
        if execution.status == S.SUCCEEDED:
            assert story == CARRIED_OUT
            assert execution.attempts.get().started_at < execution.expires_at
            assert sent_for(execution, executor) == 1
        else:
            assert (execution.status, execution.error_code) == (S.REFUSED, "expired")
            assert story == [*CARRIED_OUT[: len(story) - 1], "execution:refuse"]
            assert tries_of(execution) == []
            assert sent_for(execution, executor) == 0


@pytest.mark.parametrize(
    ("contestants", "status"),
    [
        pytest.param([naive.run], S.QUEUED, id="worker-worker"),
        pytest.param([naive.run, naive.requeue], S.QUEUED, id="worker-sweeper"),
        pytest.param([naive.finish], S.RUNNING, id="worker-stale-worker"),
    ],
)
def test_the_naive_worker_sends_twice(
    contestants: list[Callable[[str, ScriptedExecutor], None]],
    status: S,
    execution: Execution,
    executor: ScriptedExecutor,
) -> None:
    def contestant(verb: Callable[[str, ScriptedExecutor], None]) -> Contestant:
        return lambda: verb(execution.pk, executor)

    def is_lost() -> bool:
        naive.put(execution.pk, status)
        executor.sent.clear()
        race(alternating(*map(contestant, contestants)))
        return len(executor.sent) > 1

    assert any(is_lost() for _ in range(PATIENCE)), "the harness would not notice a broken verb"


def test_the_naive_worker_sends_what_was_refused(
    execution: Execution, executor: ScriptedExecutor
) -> None:
    def is_lost(number: int) -> bool:
        naive.put(execution.pk, S.QUEUED)
        executor.sent.clear()
        until = clock.now() + timedelta(milliseconds=number % 30)
        results = race(
            alternating(
                lambda: naive.run_in_time(execution.pk, executor, until),
                lambda: naive.refuse_expired(execution.pk, until),
            )
        )
        refused = len(winners(results)) > len(executor.sent)
        return refused and len(executor.sent) > 0

    assert any(map(is_lost, range(PATIENCE))), "the harness would not notice a broken verb"
