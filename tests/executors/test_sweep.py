"""Finding the work that no message announced."""

from collections.abc import Callable
from typing import Any

import pytest

from audit import clock
from executors import bell, services
from executors.enums import AttemptClass
from executors.models import Execution
from executors.services.claiming import is_due
from executors.services.sweeping import due_filter
from tests.executors.conftest import events, run
from tests.executors.scripted import ScriptedExecutor, failed

pytestmark = pytest.mark.django_db


def sweep(limit: int = 100) -> list[str]:
    return services.sweep(limit=limit)


def test_it_finds_what_was_never_rung_for(
    execution: Execution, rung: list[str], later: Callable[..., None]
) -> None:
    later(seconds=3)

    assert sweep() == [execution.pk]
    assert rung == [execution.pk]


def test_it_leaves_a_fresh_one_to_its_own_bell(execution: Execution) -> None:
    assert sweep() == []


def test_a_loop_takes_a_fresh_one_at_once(execution: Execution) -> None:
    assert services.find_due(limit=1) == [execution.pk]


def test_a_loop_is_not_told_twice_of_the_same(enqueue: Callable[..., Execution]) -> None:
    first, second = enqueue(), enqueue()

    assert services.find_due(limit=2, without={first.pk}) == [second.pk]


def test_it_finds_a_lapsed_lease(claimed: Execution, later: Callable[..., None]) -> None:
    later(seconds=10)
    assert sweep() == []
    later(seconds=41)

    assert sweep() == [claimed.pk]


def test_it_finds_a_retry_when_its_time_has_come(
    execution: Execution, executor: ScriptedExecutor, later: Callable[..., None]
) -> None:
    executor.answers = [failed(AttemptClass.NOT_EXECUTED, retry_after=30)]
    run(execution)
    later(seconds=29)
    assert sweep() == []
    later(seconds=2)

    assert sweep() == [execution.pk]


def test_what_is_over_is_left_alone(
    execution: Execution, unknown: Execution, later: Callable[..., None]
) -> None:
    later(hours=1)

    assert sweep() == []


def test_it_takes_the_oldest_first_and_no_more_than_its_limit(
    enqueue: Callable[..., Execution], later: Callable[..., None]
) -> None:
    first = enqueue()
    later(seconds=1)
    second = enqueue()
    later(seconds=1)
    enqueue()
    later(seconds=3)

    assert sweep(limit=2) == [first.pk, second.pk]


def test_it_stops_ringing_when_the_bell_is_broken(
    enqueue: Callable[..., Execution],
    later: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    enqueue()
    enqueue()
    later(seconds=3)
    monkeypatch.setattr(bell, "ring", lambda execution_id: False)

    assert len(sweep()) == 1


def test_it_says_what_it_refused(execution: Execution, later: Callable[..., None]) -> None:
    assert services.refuse_expired(limit=2) == []
    later(hours=4)

    assert services.refuse_expired(limit=2) == [execution.pk]
    assert services.refuse_expired(limit=2) == []


class TestExpired:
    """What waits past its time is refused, even when no worker is alive."""

    def test_a_queued_one(self, execution: Execution, later: Callable[..., None]) -> None:
        later(hours=4)

        assert sweep() == []
        execution.refresh_from_db()
        assert (execution.status, execution.error_code) == ("REFUSED", "expired")
        assert events(execution) == ["execution:queue", "execution:refuse"]

    def test_a_held_one(
        self, execution: Execution, reviewer: Any, later: Callable[..., None]
    ) -> None:
        services.hold(execution_id=execution.pk, user=reviewer, reason="Let me look.")
        later(hours=4)
        sweep()

        execution.refresh_from_db()
        assert execution.status == "REFUSED"

    def test_a_running_one_is_rung_for(
        self, claimed: Execution, later: Callable[..., None]
    ) -> None:
        later(hours=4)

        assert sweep() == [claimed.pk]
        claimed.refresh_from_db()
        assert claimed.status == "RUNNING"

    def test_one_that_is_claimed_meanwhile_is_left_to_the_worker(
        self, execution: Execution, later: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        later(hours=4)
        look = services.sweeping._ids

        def look_then_lose_them(*args: Any) -> list[str]:
            found = look(*args)
            run(execution)
            return found

        monkeypatch.setattr(services.sweeping, "_ids", look_then_lose_them)
        sweep()

        assert events(execution).count("execution:refuse") == 1

    def test_one_that_another_process_has_is_left_to_it(
        self, execution: Execution, later: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        later(hours=4)
        monkeypatch.setattr(services.sweeping, "lock_if_free", lambda execution_id: None)
        sweep()

        execution.refresh_from_db()
        assert execution.status == "QUEUED"


@pytest.mark.parametrize("seconds", [0, 2, 3, 30, 49, 51, 4 * 3600])
@pytest.mark.parametrize("stage", ["execution", "claimed", "waiting", "unknown"])
def test_it_looks_for_what_a_claim_would_take(
    request: pytest.FixtureRequest, later: Callable[..., None], stage: str, seconds: int
) -> None:
    execution = request.getfixturevalue(stage)
    later(seconds=seconds)
    at = clock.now()
    execution.refresh_from_db()

    found = Execution.objects.filter(due_filter(at), pk=execution.pk).exists()

    assert found == is_due(execution, at)
    assert services.find_due(limit=1) == [execution.pk] * found
    queued = execution.status == "QUEUED"
    left_alone = queued and (seconds < 2 or seconds >= 4 * 3600)  # its own bell; refused
    assert sweep() == [execution.pk] * (found and not left_alone)


@pytest.fixture
def waiting(execution: Execution, executor: ScriptedExecutor) -> Execution:
    executor.answers = [failed(AttemptClass.NOT_EXECUTED, retry_after=30)]
    run(execution)
    return execution
