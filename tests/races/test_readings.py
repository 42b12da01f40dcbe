"""Races between reading the provider and everybody else who could settle an execution."""

from collections.abc import Callable
from typing import Any

import pytest

from executors import services
from executors.enums import AttemptClass, FindingKind
from executors.enums import ExecutionStatus as S
from executors.errors import InvalidTransitionError, LostLeaseError
from executors.models import Execution, Finding
from tests.executors.scripted import ScriptedExecutor, done, failed
from tests.races import naive_workers as naive
from tests.races.harness import PATIENCE, ROUNDS, Contestant, alternating, race, strange
from tests.races.ledgers import sent_for, story_of, tries_of
from tests.races.workers import Waiting, read, work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_checks")]

Enqueue = Callable[..., Execution]


def test_an_answer_and_a_reading_settle_it_once(
    enqueue: Enqueue, executor: ScriptedExecutor, later: Callable[..., None]
) -> None:
    executor.found = done()
    for _ in range(ROUNDS):
        execution = enqueue()
        worker = Waiting.on(execution)
        later(hours=4)
        # The late answer, those who find that its time is over, and those who read.
        answer = [lambda worker=worker: worker.answer("tr_1")]
        results = race([*answer, *alternating(work(execution), read(execution))[1:]])
        services.reconcile(execution_id=execution.pk, worker="host:1")

        assert strange(results, LostLeaseError) == []
        story = story_of(execution)
        answered = not isinstance(results[0], LostLeaseError)
        ends = ["execution:succeed"] if answered else ["execution:lose-track", "execution:resolve"]
        assert story == ["execution:queue", "execution:claim", "execution:intent", *ends]
        assert (execution.status, execution.provider_reference) == (S.SUCCEEDED, "tr_1")
        assert tries_of(execution) == [(1, "DONE" if answered else "AMBIGUOUS")]
        assert sent_for(execution, executor) == 1
        assert not Finding.objects.exists()


def test_a_person_and_a_reading_settle_an_unknown_once(
    enqueue: Enqueue, executor: ScriptedExecutor, later: Callable[..., None], reviewer: Any
) -> None:
    for number in range(ROUNDS):
        execution = unknown(enqueue(), executor, later)
        executor.found = done(reference=f"tr_{number}")
        given = {"execution_id": execution.pk, "user": reviewer, "reason": "Looked it up."}
        denies = lambda given=given: services.resolve(**given, outcome=S.FAILED)  # noqa: E731
        results = race(alternating(read(execution), denies))
        services.reconcile(execution_id=execution.pk, worker="host:1")

        assert strange(results, InvalidTransitionError) == []
        assert story_of(execution).count("execution:resolve") == 1
        assert sent_for(execution, executor) == 1
        # Whoever denies what the provider has is contradicted, once.
        denied = execution.status == S.FAILED
        findings = Finding.objects.filter(execution=execution)
        assert [found.kind for found in findings] == [FindingKind.CONTRADICTION] * denied
        if not denied:
            assert execution.provider_reference == f"tr_{number}"


def unknown(
    execution: Execution, executor: ScriptedExecutor, later: Callable[..., None]
) -> Execution:
    """Lose its answer, until its time is over."""
    executor.answers = [failed(AttemptClass.AMBIGUOUS)]
    work(execution)()
    later(hours=4)
    assert work(execution)() == S.UNKNOWN
    return execution


def test_the_naive_reader_denies_what_was_sent(
    execution: Execution, executor: ScriptedExecutor
) -> None:
    def contestant(verb: Callable[[str, ScriptedExecutor], None]) -> Contestant:
        return lambda: verb(execution.pk, executor)

    def is_lost() -> bool:
        naive.put(execution.pk, S.RUNNING)
        executor.sent.clear()
        race([contestant(naive.finish), *[contestant(naive.reconcile)] * 7])
        execution.refresh_from_db()
        return execution.status == S.FAILED and bool(executor.sent)

    assert any(is_lost() for _ in range(PATIENCE)), "the harness would not notice a broken verb"
