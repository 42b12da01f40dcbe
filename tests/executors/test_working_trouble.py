"""The loop in trouble: what cannot be worked on, signals, a database that is away."""

import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError

from executors import services, working
from executors.models import Execution
from executors.working import Loop
from tests.executors.conftest import events
from tests.executors.scripted import ScriptedExecutor

pytestmark = pytest.mark.django_db


@pytest.fixture
def stop_at_pause(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses of a loop that is stopped in its second one."""
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        loop.stopping = len(pauses) == 2

    monkeypatch.setattr(loop, "_pause", pause)
    return pauses


class TestTrouble:
    """One that cannot be worked on is tried once a round, and keeps no other waiting."""

    @pytest.fixture(autouse=True)
    def broken(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Executions that cannot even be claimed."""
        broken: list[str] = []
        run = services.run

        def run_or_fail(*, execution_id: str, worker: str) -> Any:
            if execution_id in broken:
                broken.append(execution_id)
                raise RuntimeError("This row cannot be read.")
            return run(execution_id=execution_id, worker=worker)

        monkeypatch.setattr(services, "run", run_or_fail)
        return broken

    def test_it_is_named_and_logged(
        self,
        loop: Loop,
        execution: Execution,
        broken: list[str],
        caplog: pytest.LogCaptureFixture,
        closed: list[str],
    ) -> None:
        broken.append(execution.pk)

        did = loop.round()

        assert (did.failed, did.ran) == ([execution.pk], {})
        assert "This row cannot be read." in caplog.text
        assert closed == ["all"], "it may have been left in the middle of anything"

    def test_the_others_are_carried_out(
        self,
        loop: Loop,
        broken: list[str],
        enqueue: Callable[..., Execution],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(working, "_BATCH", 2)
        first, second, good = (enqueue().pk for _ in range(3))
        broken += [first, second]

        did = loop.round()

        assert (did.failed, list(did.ran)) == ([first, second], [good])
        assert len(broken) == 4, "each was tried once"

    def test_it_is_tried_again_in_the_next_round(
        self, loop: Loop, execution: Execution, broken: list[str]
    ) -> None:
        broken.append(execution.pk)
        loop.round()
        broken.clear()

        assert loop.round().ran == {execution.pk: "SUCCEEDED"}


class TestStopping:
    def test_it_finishes_what_is_under_way_and_begins_nothing(
        self, loop: Loop, executor: ScriptedExecutor, enqueue: Callable[..., Execution]
    ) -> None:
        first, second = enqueue(), enqueue()
        executor.before_sending = lambda: setattr(loop, "stopping", True)

        did = loop.round()

        second.refresh_from_db()
        assert (did.ran, second.status) == ({first.pk: "SUCCEEDED"}, "QUEUED")

    def test_it_ends_its_pause(self, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
        slept: list[float] = []

        def sleep(seconds: float) -> None:
            slept.append(seconds)
            loop.stopping = True

        monkeypatch.setattr(working, "sleep", sleep)
        loop.run(every=3600)

        assert len(slept) == 1
        assert slept[0] <= 0.1

    def test_a_pause_is_as_long_as_asked_for(self, loop: Loop) -> None:
        started = time.monotonic()
        loop._pause(0.25)

        assert time.monotonic() - started >= 0.25


class TestOutage:
    """A database that is away is waited for."""

    def test_it_connects_again(
        self,
        loop: Loop,
        execution: Execution,
        stop_at_pause: list[float],
        closed: list[str],
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        find, answers = services.find_due, [OperationalError("the connection is closed")]

        def find_or_fail(**options: Any) -> list[str]:
            if answers:
                raise answers.pop()
            return find(**options)

        monkeypatch.setattr(services, "find_due", find_or_fail)
        with caplog.at_level(logging.WARNING):
            loop.run(every=7)

        assert events(execution)[-1] == "execution:succeed"
        assert (stop_at_pause, closed) == ([7, 7], ["all"])
        assert "The database does not answer; next look in 7 s" in caplog.text

    def test_it_is_noticed_at_the_first_search(
        self, loop: Loop, execution: Execution, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(**_: Any) -> None:
            raise OperationalError("gone")

        monkeypatch.setattr(services, "refuse_expired", fail)

        with pytest.raises(OperationalError, match="gone"):
            loop.round()
        execution.refresh_from_db()
        assert execution.status == "QUEUED"

    def test_it_does_not_try_the_rest_of_a_batch(
        self, loop: Loop, enqueue: Callable[..., Execution], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried = []

        def connect() -> None:
            raise OperationalError("still gone")

        def run(**options: Any) -> None:
            tried.append(options)
            monkeypatch.setattr(working.connection, "ensure_connection", connect)
            raise OperationalError("gone")

        monkeypatch.setattr(services, "run", run)
        enqueue()
        enqueue()

        with pytest.raises(OperationalError, match="still gone"):
            loop.round()
        assert len(tried) == 1
