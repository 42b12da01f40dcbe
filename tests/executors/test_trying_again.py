"""What is held because something has to be repaired outside goes on by itself once it is."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from audit import actors, clock
from executors import checks, services
from executors.enums import AttemptClass as C
from executors.enums import ExecutionStatus as S
from executors.enums import HoldScope
from executors.models import Execution
from executors.working import Loop
from tests.executors.conftest import events, run
from tests.executors.scripted import HERE, ScriptedExecutor, failed

pytestmark = pytest.mark.django_db


EVERYTHING: Any = {
    "scope": HoldScope.EVERYTHING,
    "value": "",
    "actor": actors.system("test"),
}


@pytest.fixture
def unaccepted(execution: Execution, executor: ScriptedExecutor) -> Execution:
    """The provider did not accept our key; nothing has left."""
    executor.answers = [failed(C.CONFIGURATION, "api_key_expired")]
    assert run(execution) is S.HELD
    execution.refresh_from_db()
    return execution


def pause(execution: Execution) -> timedelta:
    execution.refresh_from_db()
    assert execution.next_attempt_at is not None
    return execution.next_attempt_at - clock.now()


def test_after_the_repair_it_runs_once(
    unaccepted: Execution, executor: ScriptedExecutor, later: Callable[..., None]
) -> None:
    later(seconds=301)

    assert services.sweep(limit=10) == [unaccepted.pk]
    assert run(unaccepted) is S.SUCCEEDED
    assert events(unaccepted)[-4:] == [
        "execution:hold",
        "execution:release",
        "execution:claim",
        "execution:succeed",
    ]
    assert executor.sent[0] == executor.sent[1]


def test_it_is_not_tried_before_its_time(unaccepted: Execution, later: Callable[..., None]) -> None:
    later(seconds=290)

    assert services.sweep(limit=10) == []
    unaccepted.refresh_from_db()
    assert unaccepted.status == S.HELD


def test_it_is_tried_less_and_less_often(
    unaccepted: Execution, executor: ScriptedExecutor, later: Callable[..., None]
) -> None:
    pauses = []
    for waited in (0, 1800, 10_000):
        later(seconds=waited)
        executor.answers = [failed(C.CONFIGURATION)]
        services.sweep(limit=10)
        run(unaccepted)
        pauses.append(round(pause(unaccepted).total_seconds(), -1))

    assert pauses == [300, 900, 3600]


@pytest.mark.parametrize("code", ["wrong_account", "unknown_key", "key_file", "not_yet_valid"])
def test_so_is_what_the_verification_holds(
    code: str,
    enqueue: Callable[..., Execution],
    executor: ScriptedExecutor,
    settings: Any,
    later: Callable[..., None],
) -> None:
    trusted = settings.COUNTERSIGN_TRUSTED_KEYS_FILE
    execution = enqueue(nbf=int(clock.now().timestamp()) + (200 if code == "not_yet_valid" else 0))
    spoil(code, executor, settings)
    assert run(execution) is S.HELD
    execution.refresh_from_db()
    assert execution.error_code == code
    later(seconds=301)
    executor.account = HERE
    settings.COUNTERSIGN_TRUSTED_KEYS_FILE = trusted
    services.sweep(limit=10)

    assert run(execution) is S.SUCCEEDED


def test_so_is_what_a_check_holds_that_could_not_be_asked(
    execution: Execution,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    later: Callable[..., None],
) -> None:
    answers: list[Any] = [OperationalError("deadlock detected"), None, None]
    monkeypatch.setitem(checks._checks, "busy", lambda claims, at: answer(answers))
    settings.COUNTERSIGN_CHECKS = ["busy"]
    assert run(execution) is S.HELD
    later(seconds=301)
    services.sweep(limit=10)

    assert run(execution) is S.SUCCEEDED
    assert answers == []


def answer(answers: list[Any]) -> Any:
    """Give the next of these answers, or raise it."""
    given = answers.pop(0)
    if isinstance(given, Exception):
        raise given
    return given


def spoil(code: str, executor: ScriptedExecutor, settings: Any) -> None:
    """Bring about what has to be repaired."""
    trusted = settings.COUNTERSIGN_TRUSTED_KEYS_FILE
    if code == "wrong_account":
        executor.account = replace(HERE, account="acct_other")
    if code == "key_file":
        settings.COUNTERSIGN_TRUSTED_KEYS_FILE = trusted.with_name("gone.json")
    if code == "unknown_key":
        settings.COUNTERSIGN_TRUSTED_KEYS_FILE = trusted.with_name("empty.json")
        settings.COUNTERSIGN_TRUSTED_KEYS_FILE.write_text('{"keys": []}')


class TestOthersWait:
    """What a person or a check holds goes on when a person says so."""

    def test_what_a_person_holds(
        self, execution: Execution, reviewer: Any, later: Callable[..., None]
    ) -> None:
        services.hold(execution_id=execution.pk, user=reviewer, reason="Let me look.")
        later(hours=3)

        assert services.sweep(limit=10) == []
        execution.refresh_from_db()
        assert (execution.status, execution.next_attempt_at) == (S.HELD, None)

    def test_what_a_check_holds(
        self, execution: Execution, settings: Any, later: Callable[..., None]
    ) -> None:
        settings.COUNTERSIGN_CHECKS = ["nobody_registered_this"]
        assert run(execution) is S.HELD
        later(hours=3)

        assert services.sweep(limit=10) == []

    def test_what_a_person_holds_in_addition(
        self, unaccepted: Execution, reviewer: Any, later: Callable[..., None]
    ) -> None:
        services.hold(execution_id=unaccepted.pk, user=reviewer, reason="Let me look.")
        later(seconds=301)
        services.sweep(limit=10)

        assert run(unaccepted) is S.HELD
        unaccepted.refresh_from_db()
        assert (unaccepted.error_code, unaccepted.next_attempt_at) == ("hold", None)

    def test_past_its_time_it_is_refused(
        self, unaccepted: Execution, later: Callable[..., None]
    ) -> None:
        later(hours=4)

        assert services.sweep(limit=10) == []
        unaccepted.refresh_from_db()
        assert unaccepted.status == S.REFUSED


class TestLiftedMeanwhile:
    """A hold that is lifted between a worker's look at it and the step that it led to."""

    @pytest.fixture
    def held(
        self, execution: Execution, executor: ScriptedExecutor, monkeypatch: pytest.MonkeyPatch
    ) -> Execution:
        begin, stop = services.running.begin_attempt, services.running.stop_claimed

        def hold_then_begin(*args: Any) -> Any:
            services.set_hold(**EVERYTHING, reason="Stop.", at=clock.now())
            return begin(*args)

        def lift_then_stop(*args: Any, **kwargs: Any) -> None:
            services.lift_holds(**EVERYTHING, reason="Go on.", at=clock.now())
            stop(*args, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(services.running, "begin_attempt", hold_then_begin)
            patch.setattr(services.running, "stop_claimed", lift_then_stop)
            assert run(execution) is S.HELD
        assert executor.sent == []
        return execution

    def test_the_sweeper_queues_it_again(self, held: Execution) -> None:
        services.sweep(limit=10)

        assert run(held) is S.SUCCEEDED

    def test_so_does_the_loop(self, held: Execution) -> None:
        assert Loop(limits=nullcontext).round().ran == {held.pk: "SUCCEEDED"}

    def test_what_is_held_anew_waits(self, held: Execution) -> None:
        services.set_hold(**EVERYTHING, reason="Stop again.", at=clock.now())
        services.sweep(limit=10)

        assert run(held) is S.HELD
        services.sweep(limit=10)
        held.refresh_from_db()
        assert held.status == S.HELD


class TestAnotherProcess:
    """What another process has at this moment, or has moved meanwhile, is left to it."""

    def test_one_that_is_locked(
        self, unaccepted: Execution, later: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        later(seconds=301)
        monkeypatch.setattr(services.sweeping, "lock_if_free", lambda execution_id: None)
        services.sweep(limit=10)

        unaccepted.refresh_from_db()
        assert unaccepted.status == S.HELD

    def test_one_that_was_released_meanwhile(
        self,
        unaccepted: Execution,
        reviewer: Any,
        later: Callable[..., None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        later(seconds=301)
        look = services.sweeping._ids

        def look_then_release(*args: Any) -> list[str]:
            found = look(*args)
            if found:
                monkeypatch.setattr(services.sweeping, "_ids", look)
                services.release(execution_id=unaccepted.pk, user=reviewer, reason="Repaired.")
            return found

        monkeypatch.setattr(services.sweeping, "_ids", look_then_release)
        services.sweep(limit=10)

        assert events(unaccepted).count("execution:release") == 1


def test_the_loop_tries_it_too(
    unaccepted: Execution, executor: ScriptedExecutor, later: Callable[..., None]
) -> None:
    later(seconds=301)

    done = Loop(limits=nullcontext).round()

    assert done.ran == {unaccepted.pk: "SUCCEEDED"}
