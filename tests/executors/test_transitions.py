"""The whole state machine: what the table has happens, what it has not is refused."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from audit import clock
from audit.actors import Actor
from audit.errors import ConflictError
from executors import services
from executors.enums import AttemptClass, EventType
from executors.enums import ExecutionStatus as S
from executors.errors import InvalidTransitionError
from executors.models import Execution
from executors.services.moves import move
from executors.transitions import FINISHED, ONLY_UNAMBIGUOUS, TRANSITIONS, allows, is_final
from tests.executors.conftest import WORKER, events, run
from tests.executors.scripted import ScriptedExecutor, done, failed

pytestmark = pytest.mark.django_db

KINDS = ("worker", "person", "system", "agent")
EVERY_STEP = [(before, after, kind) for before in S for after in S for kind in KINDS]


def in_table(before: S, after: S, kind: str) -> bool:
    return allows(before, after) and kind in TRANSITIONS[before][after].by


@pytest.fixture
def at_status(
    enqueue: Callable[..., Execution],
    executor: ScriptedExecutor,
    reviewer: Any,
    later: Callable[..., None],
) -> Callable[[S], Execution]:
    """Bring an execution to a status through the services."""

    def _held(execution: Execution) -> None:
        services.hold(execution_id=execution.pk, user=reviewer, reason="Let me look.")

    def _refused(execution: Execution) -> None:
        services.revoke(execution_id=execution.pk, user=reviewer, reason="Wrong customer.")

    def _unknown(execution: Execution) -> None:
        executor.answers = [failed(AttemptClass.AMBIGUOUS)]
        run(execution)
        later(hours=4)
        run(execution)

    def _failed(execution: Execution) -> None:
        executor.answers = [failed(AttemptClass.FINAL)]
        run(execution)

    def _reversed(execution: Execution) -> None:
        run(execution)
        execution.refresh_from_db()
        step(execution, S.REVERSED, "worker")

    ways: dict[S, Callable[[Execution], Any]] = {
        S.QUEUED: lambda execution: None,
        S.HELD: _held,
        S.RUNNING: lambda execution: services.claim(execution_id=execution.pk, worker=WORKER),
        S.UNKNOWN: _unknown,
        S.SUCCEEDED: run,
        S.FAILED: _failed,
        S.REFUSED: _refused,
        S.REVERSED: _reversed,
    }

    def bring(status: S) -> Execution:
        execution = enqueue()
        ways[status](execution)
        execution.refresh_from_db()
        assert execution.status == status
        return execution

    return bring


def step(execution: Execution, after: S, kind: str, event: EventType | None = None) -> None:
    """Take a step with what the constraints ask for."""
    at = clock.now()
    changes: dict[str, Any] = {}
    if after is S.RUNNING:
        changes["lease_expires_at"] = at + timedelta(seconds=50)
    if after is S.SUCCEEDED:
        changes["receipt"] = done().as_json()
    move(execution, after, actor=Actor(kind=kind, name="x"), at=at, event=event, **changes)


@pytest.mark.parametrize(
    ("before", "after", "kind"), [entry for entry in EVERY_STEP if in_table(*entry)]
)
def test_what_the_table_has_happens(
    at_status: Callable[[S], Execution], before: S, after: S, kind: str
) -> None:
    execution = at_status(before)
    step(execution, after, kind)

    execution.refresh_from_db()
    assert execution.status == after
    assert events(execution)[-1] == TRANSITIONS[before][after].event
    assert (execution.finished_at is not None) == (after in FINISHED)
    assert (execution.lease_expires_at is not None) == (after is S.RUNNING)


@pytest.mark.parametrize("before", list(S))
def test_what_the_table_has_not_is_refused(at_status: Callable[[S], Execution], before: S) -> None:
    execution = at_status(before)
    told = events(execution)

    for after in S:
        for kind in KINDS:
            if not in_table(before, after, kind):
                with pytest.raises(InvalidTransitionError):
                    step(execution, after, kind)

    execution.refresh_from_db()
    assert (execution.status, events(execution)) == (before, told)


@pytest.mark.parametrize("after", sorted(ONLY_UNAMBIGUOUS))
def test_what_may_have_left_is_not_forgotten(at_status: Callable[[S], Execution], after: S) -> None:
    execution = at_status(S.RUNNING)
    execution.ambiguous = True

    with pytest.raises(InvalidTransitionError):
        step(execution, after, "worker")


def test_a_step_is_told_only_as_what_it_is(at_status: Callable[[S], Execution]) -> None:
    with pytest.raises(InvalidTransitionError):
        step(at_status(S.QUEUED), S.HELD, "person", EventType.EXECUTION_REVOKE)


def test_of_two_stale_copies_one_loses(at_status: Callable[[S], Execution]) -> None:
    first = at_status(S.QUEUED)
    second = Execution.objects.get(pk=first.pk)
    step(first, S.REFUSED, "person")

    with pytest.raises(ConflictError):
        step(second, S.RUNNING, "worker")

    assert events(first)[-1] == "execution:refuse"


def test_an_old_fence_loses(at_status: Callable[[S], Execution]) -> None:
    fresh = at_status(S.RUNNING)
    stale = Execution.objects.get(pk=fresh.pk)
    at = clock.now()
    lease = at + timedelta(seconds=50)
    worker = Actor(kind="worker", name="x")
    move(fresh, S.RUNNING, actor=worker, at=at, fence=2, lease_expires_at=lease)

    with pytest.raises(ConflictError):
        step(stale, S.FAILED, "worker")


def test_the_table_knows_every_status() -> None:
    reached = {after for steps in TRANSITIONS.values() for after in steps}

    assert reached | {S.QUEUED} == set(S)
    assert {status for status in S if is_final(status)} == {S.FAILED, S.REFUSED, S.REVERSED}
