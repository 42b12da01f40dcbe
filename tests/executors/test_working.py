"""The loop: a worker that finds its work in the database and needs no broker."""

from collections.abc import Callable
from typing import Any

import pytest

from executors import services, working
from executors.limits import worker_name
from executors.models import Execution
from executors.working import Loop
from tests.executors.scripted import ScriptedExecutor, done

pytestmark = pytest.mark.django_db


def test_it_carries_out_what_is_due_and_rings_for_nobody(
    loop: Loop, execution: Execution, executor: ScriptedExecutor, rung: list[str]
) -> None:
    rung.clear()

    did = loop.round()

    execution.refresh_from_db()
    assert did.ran == {execution.pk: "SUCCEEDED"}
    assert (execution.claimed_by, len(executor.sent)) == (worker_name(), 1)
    assert (did.refused, did.read, did.failed, rung) == ([], {}, [], [])


def test_it_goes_on_until_nothing_is_due(
    loop: Loop, enqueue: Callable[..., Execution], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "_BATCH", 2)
    queued = [enqueue().pk for _ in range(5)]

    assert list(loop.round().ran) == queued


def test_it_carries_out_what_comes_while_it_works(
    loop: Loop, execution: Execution, executor: ScriptedExecutor, enqueue: Callable[..., Execution]
) -> None:
    later: list[Execution] = []

    def one_more() -> None:
        if not later:
            later.append(enqueue())

    executor.before_sending = one_more

    assert list(loop.round().ran) == [execution.pk, later[0].pk]


def test_it_refuses_what_waits_past_its_time(
    loop: Loop, execution: Execution, later: Callable[..., None]
) -> None:
    later(hours=4)

    assert loop.round().refused == [execution.pk]


def test_trouble_in_refusing_keeps_nothing_else_waiting(
    loop: Loop, execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError("Something is wrong with a row.")

    monkeypatch.setattr(services, "refuse_expired", fail)

    assert loop.round().ran == {execution.pk: "SUCCEEDED"}


def test_what_another_worker_has_is_left_to_it(
    loop: Loop, claimed: Execution, executor: ScriptedExecutor
) -> None:
    assert loop.round().ran == {}
    assert executor.sent == []


def test_what_another_worker_took_meanwhile_is_left_to_it(
    loop: Loop, enqueue: Callable[..., Execution], executor: ScriptedExecutor
) -> None:
    first, second = enqueue(), enqueue()
    executor.before_sending = lambda: services.claim(execution_id=second.pk, worker="other:1")

    did = loop.round()

    assert did.ran == {first.pk: "SUCCEEDED", second.pk: "RUNNING"}
    assert [key for _, key in executor.sent] == [f"cs_{first.jti}"]


class TestReading:
    """What is not known is read, what succeeded is followed."""

    def test_an_unknown_is_settled(
        self, loop: Loop, unknown: Execution, executor: ScriptedExecutor
    ) -> None:
        executor.found = done()

        assert loop.round().read == {unknown.pk: "SUCCEEDED"}

    def test_not_twice_within_half_a_minute(
        self, loop: Loop, unknown: Execution, later: Callable[..., None]
    ) -> None:
        assert list(loop.round().read) == [unknown.pk]
        later(hours=2)

        assert loop.round().read == {}
        loop._read_from = 0.0
        assert list(loop.round().read) == [unknown.pk]

    def test_what_was_read_just_now_is_not_read_again(
        self, loop: Loop, unknown: Execution, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(services, "is_due_reading", lambda execution_id: False)

        assert loop.round().read == {}
        assert unknown.readings.count() == 0

    def test_a_success_is_followed_when_it_is_due(
        self, loop: Loop, execution: Execution, later: Callable[..., None]
    ) -> None:
        loop.round()
        later(hours=2)
        loop._read_from = 0.0

        assert loop.round().read == {execution.pk: "SUCCEEDED"}
        assert not services.is_due_reading(execution_id=execution.pk)

    def test_executions_without_end_do_not_keep_it_from_its_turn(
        self,
        loop: Loop,
        unknown: Execution,
        executor: ScriptedExecutor,
        enqueue: Callable[..., Execution],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(working, "_BATCH", 1)
        enqueue()
        executor.before_sending = lambda: enqueue() if len(executor.sent) < 10 else None
        read = services.reconcile

        def read_and_stop(**options: Any) -> Any:
            loop.stopping = True
            return read(**options)

        monkeypatch.setattr(services, "reconcile", read_and_stop)
        did = loop.round()

        assert list(did.read) == [unknown.pk]
        assert len(did.ran) == 1
