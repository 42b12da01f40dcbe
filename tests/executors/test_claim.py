"""Taking an execution: who gets it, when, and what stops it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings

from audit import actors, clock
from executors import checks, services
from executors.checks import Stop
from executors.enums import AttemptClass, HoldScope
from executors.models import Attempt, Execution
from executors.services.sending import begin_attempt
from tests.executors.conftest import OTHER_WORKER, WORKER, events, run
from tests.executors.scripted import ScriptedExecutor, failed

pytestmark = pytest.mark.django_db


def claim(execution: Execution, worker: str = WORKER) -> Execution | None:
    taken = services.claim(execution_id=execution.pk, worker=worker)
    execution.refresh_from_db()
    return taken


def test_it_takes_a_lease_and_a_fence(execution: Execution) -> None:
    taken = claim(execution)

    assert taken is not None
    assert (execution.status, execution.fence, execution.claimed_by) == ("RUNNING", 1, WORKER)
    assert execution.claimed_at is not None
    assert execution.lease_expires_at == execution.claimed_at + timedelta(
        seconds=django_settings.COUNTERSIGN_LEASE
    )
    assert events(execution)[-1] == "execution:claim"


def test_it_names_the_worker_in_the_record(claimed: Execution) -> None:
    assert Execution.history.filter(id=claimed.pk).latest("number").actor == f"worker:{WORKER}"


def test_a_second_worker_gets_nothing(claimed: Execution) -> None:
    assert claim(claimed, OTHER_WORKER) is None
    assert claimed.claimed_by == WORKER


def test_nobody_claims_what_does_not_exist(db: None) -> None:
    assert services.claim(execution_id="exe_forged", worker=WORKER) is None


@pytest.mark.parametrize("status", ["HELD", "REFUSED"])
def test_nobody_claims_what_is_not_waiting(
    execution: Execution, reviewer: Any, status: str
) -> None:
    verb = {"HELD": services.hold, "REFUSED": services.revoke}[status]
    verb(execution_id=execution.pk, user=reviewer, reason="Wrong customer.")

    assert claim(execution) is None
    assert execution.status == status


class TestTakingOver:
    """A lease that lapsed may be taken over, with a new fence."""

    def test_not_before_the_lease_is_over(
        self, claimed: Execution, later: Callable[..., None]
    ) -> None:
        later(seconds=django_settings.COUNTERSIGN_LEASE - 1)

        assert claim(claimed, OTHER_WORKER) is None

    def test_when_it_is_over(self, claimed: Execution, later: Callable[..., None]) -> None:
        later(seconds=django_settings.COUNTERSIGN_LEASE)

        assert claim(claimed, OTHER_WORKER) is not None
        assert (claimed.fence, claimed.claimed_by) == (2, OTHER_WORKER)
        assert events(claimed)[-1] == "execution:reclaim"

    def test_without_an_attempt_nothing_is_ambiguous(
        self, claimed: Execution, later: Callable[..., None]
    ) -> None:
        later(seconds=60)
        claim(claimed, OTHER_WORKER)

        assert not claimed.ambiguous

    def test_an_attempt_that_never_ended_is_ambiguous(
        self, claimed: Execution, later: Callable[..., None]
    ) -> None:
        begin_attempt(claimed)
        later(seconds=60)
        claim(claimed, OTHER_WORKER)

        attempt = Attempt.objects.get(execution=claimed)
        assert claimed.ambiguous
        assert (attempt.outcome, attempt.error_code) == (AttemptClass.AMBIGUOUS, "worker_lost")


class TestTime:
    """Past exp nothing is claimed, and what becomes of it depends on what may have left."""

    def test_a_queued_one_is_refused(
        self, execution: Execution, later: Callable[..., None]
    ) -> None:
        later(hours=4)

        assert claim(execution) is None
        assert (execution.status, execution.error_code) == ("REFUSED", "expired")
        assert execution.finished_at is not None

    def test_a_running_one_that_sent_nothing_is_refused(
        self, claimed: Execution, later: Callable[..., None]
    ) -> None:
        later(hours=4)

        assert claim(claimed) is None
        assert (claimed.status, claimed.error_code) == ("REFUSED", "expired")

    def test_a_running_one_whose_worker_was_lost_is_unknown(
        self,
        claimed: Execution,
        later: Callable[..., None],
        alarms: Callable[[], list[str]],
    ) -> None:
        begin_attempt(claimed)
        later(hours=4)

        assert claim(claimed) is None
        assert (claimed.status, claimed.error_code) == ("UNKNOWN", "expired")
        assert claimed.ambiguous
        assert alarms() == ["outcome_unknown"]

    def test_a_retry_is_not_claimed_before_its_time(
        self, execution: Execution, executor: ScriptedExecutor, later: Callable[..., None]
    ) -> None:
        executor.answers = [failed(AttemptClass.AMBIGUOUS)]
        run(execution)

        assert claim(execution) is None
        later(seconds=3)
        assert claim(execution) is not None


class TestObjections:
    """Holds and checks are asked under the lock."""

    def object_with(
        self, settings: Any, monkeypatch: pytest.MonkeyPatch, check: checks.Check
    ) -> None:
        settings.COUNTERSIGN_CHECKS = ["test"]
        monkeypatch.setitem(checks._checks, "test", check)

    def test_a_hold_holds(self, execution: Execution, enqueue: Callable[..., Execution]) -> None:
        set_hold(HoldScope.AGENT, "agt_1")
        late = enqueue()

        assert claim(late) is None
        assert (late.status, late.error_code) == ("HELD", "hold")
        assert late.held_by is not None
        assert late.held_by.value == "agt_1"

    def test_a_check_that_minds_holds(
        self, execution: Execution, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stop = Stop(code="over_budget", message="The budget of the day is spent.")
        self.object_with(settings, monkeypatch, lambda claims, at: stop)

        assert claim(execution) is None
        assert (execution.status, execution.error_code) == ("HELD", "over_budget")
        assert execution.error_message == stop.message
        assert execution.held_by is None

    def test_a_check_that_minds_for_good_refuses(
        self, execution: Execution, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stop = Stop(code="facts_changed", message="The payment is gone.", final=True)
        self.object_with(settings, monkeypatch, lambda claims, at: stop)

        assert claim(execution) is None
        assert (execution.status, execution.error_code) == ("REFUSED", "facts_changed")

    def test_a_check_sees_the_verified_claims_and_the_time(
        self, execution: Execution, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[tuple[str, datetime]] = []
        self.object_with(
            settings, monkeypatch, lambda claims, at: asked.append((claims["jti"], at))
        )

        assert claim(execution) is not None
        assert asked == [(execution.jti, execution.claimed_at)]

    def test_a_hold_on_what_may_have_left_only_delays_it(
        self, claimed: Execution, later: Callable[..., None]
    ) -> None:
        begin_attempt(claimed)
        set_hold(HoldScope.EXECUTION, claimed.pk)
        later(seconds=60)

        assert claim(claimed) is None
        assert (claimed.status, claimed.error_code) == ("RUNNING", "hold")
        assert claimed.lease_expires_at is None
        assert claimed.next_attempt_at is not None

    def test_a_forged_row_is_refused(self, execution: Execution) -> None:
        Execution.objects.filter(pk=execution.pk).update(token="e30.e30.e30")

        assert claim(execution) is None
        assert (execution.status, execution.error_code) == ("REFUSED", "token_invalid")


def set_hold(scope: HoldScope, value: str) -> None:
    services.set_hold(
        scope=scope,
        value=value,
        reason="Something is odd.",
        actor=actors.system("test"),
        at=clock.now(),
    )
