"""An attempt has no history of its own: what ends it is always a fact about its execution."""

from collections.abc import Callable
from typing import Any

import pytest

from executors.enums import AttemptClass
from executors.models import Attempt, Execution
from executors.services import claim, moves
from executors.services.sending import begin_attempt
from tests.executors.conftest import OTHER_WORKER, run
from tests.executors.scripted import ScriptedExecutor, done, failed

pytestmark = pytest.mark.django_db


def facts_of_its_end(attempt: Attempt) -> list[str]:
    """The events of the execution that were written at the instant of the end."""
    rows = Execution.history.filter(id=attempt.execution_id, history_date=attempt.ended_at)
    return [row.event for row in rows]


@pytest.mark.parametrize(
    ("answer", "event"),
    [
        (done(), "execution:succeed"),
        (failed(AttemptClass.AMBIGUOUS), "execution:retry"),
        (failed(AttemptClass.NOT_EXECUTED), "execution:retry"),
        (failed(AttemptClass.FINAL), "execution:fail"),
        (failed(AttemptClass.OUR_BUG), "execution:lose-track"),
        (failed(AttemptClass.CONFIGURATION), "execution:hold"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_outcome_is_a_fact_about_the_execution(
    execution: Execution, executor: ScriptedExecutor, answer: Any, event: str
) -> None:
    executor.answers = [answer]
    run(execution)

    attempt = Attempt.objects.get()

    assert attempt.outcome
    assert facts_of_its_end(attempt) == [event]


@pytest.mark.parametrize(
    ("hours", "event"), [(1, "execution:reclaim"), (5, "execution:lose-track")]
)
def test_so_is_the_end_of_one_whose_worker_was_lost(
    claimed: Execution, later: Callable[..., None], hours: int, event: str
) -> None:
    attempt = begin_attempt(claimed)
    later(hours=hours)
    claim(execution_id=claimed.pk, worker=OTHER_WORKER)

    attempt.refresh_from_db()

    assert attempt.error_code == "worker_lost"
    assert facts_of_its_end(attempt) == [event]


def broken(*_: Any, **__: Any) -> None:
    raise RuntimeError("The record is full.")


def test_without_the_fact_an_outcome_ends_nothing(
    execution: Execution, executor: ScriptedExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor.before_sending = lambda: monkeypatch.setattr(moves.history, "transition", broken)

    with pytest.raises(RuntimeError):
        run(execution)

    assert Attempt.objects.get().ended_at is None


def test_without_the_fact_a_lost_worker_s_is_not_ended_either(
    claimed: Execution, later: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_attempt(claimed)
    later(hours=1)
    monkeypatch.setattr(moves.history, "transition", broken)

    with pytest.raises(RuntimeError):
        claim(execution_id=claimed.pk, worker=OTHER_WORKER)

    assert Attempt.objects.get().ended_at is None
