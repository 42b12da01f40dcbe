"""Races over what needs a person: several deal with it, or a worker meets what is found."""

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import pytest

from audit import clock
from executors import findings, services
from executors.enums import ExecutionStatus as S
from executors.enums import FindingKind
from executors.errors import InvalidTransitionError
from executors.models import Execution, Finding
from tests.executors.scripted import ScriptedExecutor, done
from tests.races import naive_dealing
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
from tests.races.ledgers import sent_for, story_of
from tests.races.workers import work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_checks")]

Enqueue = Callable[..., Execution]

_numbers = count()


def find(execution: Execution) -> Finding:
    """Find something new at the provider that names the execution's decision."""
    return findings.report(
        FindingKind.DUPLICATE,
        reference=f"tr_{execution.pk}_{next(_numbers)}",
        message="A second one.",
        execution=execution,
        at=clock.now(),
    )


def taken_back(execution: Execution, executor: ScriptedExecutor) -> Execution:
    """Let it succeed, and let the provider take it back."""
    work(execution)()
    executor.shown = done(provider_status="failed", failed=True, failure_code="lost_card")
    assert services.follow(execution_id=execution.pk, worker="host:1") is S.REVERSED
    return execution


def deal(row: Execution | Finding, user: Any) -> Contestant:
    """Deal with it as this person."""
    given = {"user": user, "reason": "Paid by hand."}
    if isinstance(row, Execution):
        return partial(services.deal_with, execution_id=row.pk, **given)
    return partial(services.deal_with_finding, finding_id=row.pk, **given)


def test_of_many_who_deal_with_it_one_does(
    enqueue: Enqueue, executor: ScriptedExecutor, reviewer: Any, second_reviewer: Any
) -> None:
    for _ in range(ROUNDS):
        execution = taken_back(enqueue(), executor)
        finding = find(execution)
        results = race(
            alternating(
                *[deal(execution, user) for user in (reviewer, second_reviewer)],
                *[deal(finding, user) for user in (reviewer, second_reviewer)],
            )
        )

        assert strange(results, InvalidTransitionError) == []
        assert {type(winner) for winner in winners(results)} == {Execution, Finding}
        assert len(winners(results)) == 2
        assert story_of(execution)[-2:] == ["execution:reverse", "execution:deal-with"]
        assert finding.history.count() == 2


def test_what_is_found_and_a_worker_do_not_wait_for_each_other(
    enqueue: Enqueue, executor: ScriptedExecutor
) -> None:
    for _ in range(ROUNDS):
        execution = enqueue()
        results = race(alternating(work(execution), partial(find, execution)))
        work(execution)()  # a worker that finds the row locked leaves it to the next sweep

        assert strange(results) == []
        assert story_of(execution)[-1] == "execution:succeed"
        assert execution.findings.count() == THREADS // 2
        assert sent_for(execution, executor) == 1


def test_the_naive_twin_deals_with_it_twice(enqueue: Enqueue, executor: ScriptedExecutor) -> None:
    execution = taken_back(enqueue(), executor)

    def is_lost() -> bool:
        Execution.objects.filter(pk=execution.pk).update(dealt_with_at=None)
        results = race([lambda: naive_dealing.deal_with(execution.pk)] * THREADS)
        return len(winners(results)) > 1

    assert any(is_lost() for _ in range(PATIENCE)), "the harness would not notice a broken verb"
