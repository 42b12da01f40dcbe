"""UNKNOWN is left by proof only: what the provider shows, or shows twice not to have."""

from collections.abc import Callable
from typing import Any

import pytest

from audit import clock
from executors import services, tasks
from executors.base import Provider
from executors.enums import AttemptClass
from executors.enums import ExecutionStatus as S
from executors.errors import LookUpMismatchError
from executors.models import Execution, Finding
from tests.executors.conftest import WORKER, events, run
from tests.executors.scripted import ScriptedExecutor, done, failed

pytestmark = pytest.mark.django_db

MISMATCH = LookUpMismatchError(
    "It differs.", attempt_class=AttemptClass.AMBIGUOUS, code="look_up_mismatch"
)


def reconcile(execution: Execution) -> S | None:
    status = services.reconcile(execution_id=execution.pk, worker=WORKER)
    execution.refresh_from_db()
    return status


class TestFound:
    """The one object that matches in every respect."""

    def test_it_is_a_success_with_receipt_and_history(
        self, unknown: Execution, executor: ScriptedExecutor
    ) -> None:
        executor.found = done(reference="tr_found")

        assert reconcile(unknown) is S.SUCCEEDED

        assert unknown.receipt is not None
        assert (unknown.provider_reference, unknown.receipt["amount"]) == ("tr_found", 9500)
        assert events(unknown)[-1] == "execution:resolve"
        assert [reading.result for reading in unknown.readings.all()] == ["FOUND"]

    def test_one_that_failed_there_is_a_failure(
        self, unknown: Execution, executor: ScriptedExecutor
    ) -> None:
        executor.found = done(provider_status="failed", failed=True, failure_code="lost_card")

        assert reconcile(unknown) is S.FAILED
        assert unknown.error_code == "lost_card"

    def test_nothing_is_sent(self, unknown: Execution, executor: ScriptedExecutor) -> None:
        sent = len(executor.sent)
        executor.found = done()
        reconcile(unknown)

        assert len(executor.sent) == sent

    def test_what_a_person_settled_meanwhile_stays(
        self, unknown: Execution, executor: ScriptedExecutor, reviewer: Any, monkeypatch: Any
    ) -> None:
        def settle_meanwhile(*_: Any) -> Any:
            services.resolve(
                execution_id=unknown.pk, user=reviewer, reason="I looked.", outcome=S.FAILED
            )
            return done()

        monkeypatch.setattr(executor, "look_up", settle_meanwhile)

        assert reconcile(unknown) is S.FAILED
        assert unknown.provider_reference == ""
        assert not unknown.readings.exists()


class TestAbsent:
    """Two complete listings, late enough and far enough apart."""

    def test_one_listing_proves_nothing(self, unknown: Execution) -> None:
        assert reconcile(unknown) is S.UNKNOWN

    def test_two_listings_prove_it(self, unknown: Execution, later: Callable[..., None]) -> None:
        reconcile(unknown)
        later(minutes=11)

        assert reconcile(unknown) is S.FAILED
        assert unknown.error_code == "absent_at_provider"
        assert events(unknown)[-1] == "execution:resolve"

    def test_two_listings_at_once_are_one(
        self, unknown: Execution, later: Callable[..., None]
    ) -> None:
        reconcile(unknown)
        later(minutes=9)

        assert reconcile(unknown) is S.UNKNOWN

    def test_listings_soon_after_the_last_attempt_prove_nothing(
        self, unknown: Execution, later: Callable[..., None]
    ) -> None:
        attempt = unknown.attempts.get()
        type(attempt).objects.filter(pk=attempt.pk).update(ended_at=clock.now())
        for _ in range(2):
            assert reconcile(unknown) is S.UNKNOWN
            later(minutes=29)
        later(minutes=10)
        assert reconcile(unknown) is S.UNKNOWN
        later(minutes=11)

        assert reconcile(unknown) is S.FAILED

    def test_listings_before_exp_prove_nothing(
        self,
        execution: Execution,
        executor: ScriptedExecutor,
        later: Callable[..., None],
    ) -> None:
        executor.answers = [failed(AttemptClass.AMBIGUOUS, http_status=500)] * 5
        while run(execution) is not S.UNKNOWN:
            later(minutes=5)
        later(hours=2)
        for _ in range(2):
            assert reconcile(execution) is S.UNKNOWN
            later(minutes=11)

    def test_the_signed_exp_counts_not_the_column(
        self, execution: Execution, executor: ScriptedExecutor, later: Callable[..., None]
    ) -> None:
        executor.answers = [failed(AttemptClass.AMBIGUOUS, http_status=500)] * 5
        while run(execution) is not S.UNKNOWN:
            later(minutes=5)
        execution.refresh_from_db()
        Execution.objects.filter(pk=execution.pk).update(expires_at=execution.queued_at)
        later(hours=2)
        for _ in range(2):
            assert reconcile(execution) is S.UNKNOWN
            later(minutes=11)

    def test_unreadable_listings_prove_nothing(
        self, unknown: Execution, executor: ScriptedExecutor, later: Callable[..., None]
    ) -> None:
        executor.found = failed(AttemptClass.AMBIGUOUS)
        for _ in range(3):
            assert reconcile(unknown) is S.UNKNOWN
            later(minutes=11)

        assert {reading.result for reading in unknown.readings.all()} == {"UNREADABLE"}

    def test_another_account_proves_nothing(
        self,
        unknown: Execution,
        executor: ScriptedExecutor,
        later: Callable[..., None],
        alarms: Callable[[], list[str]],
    ) -> None:
        executor.account = Provider(kind="scripted", account="acct_2", livemode=False)
        for _ in range(3):
            assert reconcile(unknown) is S.UNKNOWN
            later(minutes=11)

        assert "wrong_account" in alarms()


class TestMismatch:
    """Something of ours that differs, or two: an alarm, never a match."""

    def test_it_stays_unknown_with_an_alarm(
        self, unknown: Execution, executor: ScriptedExecutor, alarms: Callable[[], list[str]]
    ) -> None:
        executor.found = MISMATCH

        assert reconcile(unknown) is S.UNKNOWN
        assert "look_up_mismatch" in alarms()

    def test_after_it_absence_proves_nothing(
        self, unknown: Execution, executor: ScriptedExecutor, later: Callable[..., None]
    ) -> None:
        executor.found = MISMATCH
        reconcile(unknown)
        executor.found = None
        for _ in range(3):
            later(minutes=11)
            assert reconcile(unknown) is S.UNKNOWN


class TestOthers:
    """What is not UNKNOWN."""

    def test_a_failure_that_is_there_all_the_same_is_told_once(
        self, execution: Execution, executor: ScriptedExecutor, alarms: Callable[[], list[str]]
    ) -> None:
        executor.answers = [failed(AttemptClass.FINAL)]
        run(execution)
        executor.found = done()
        reconcile(execution)

        assert reconcile(execution) is S.FAILED
        assert Finding.objects.get().kind == "CONTRADICTION"
        assert alarms().count("contradiction") == 1

    def test_a_failure_that_failed_there_is_no_finding(
        self, execution: Execution, executor: ScriptedExecutor
    ) -> None:
        executor.answers = [failed(AttemptClass.FINAL)]
        run(execution)
        executor.found = done(failed=True)
        reconcile(execution)

        assert not Finding.objects.exists()

    def test_what_a_worker_has_or_will_have_is_left_alone(self, claimed: Execution) -> None:
        assert reconcile(claimed) is S.RUNNING
        assert not claimed.readings.exists()

    def test_a_forged_id(self) -> None:
        assert services.reconcile(execution_id="exe_forged", worker=WORKER) is None

    def test_a_key_that_was_not_accepted_is_told(
        self, unknown: Execution, executor: ScriptedExecutor, alarms: Callable[[], list[str]]
    ) -> None:
        executor.found = failed(AttemptClass.CONFIGURATION, "no_right")

        assert reconcile(unknown) is S.UNKNOWN
        assert "no_right" in alarms()

    def test_what_nobody_foresaw_proves_nothing(
        self, unknown: Execution, executor: ScriptedExecutor
    ) -> None:
        executor.found = ZeroDivisionError()

        assert reconcile(unknown) is S.UNKNOWN
        assert unknown.readings.get().error_code == "executor_failed"

    @pytest.mark.parametrize("changes", [{"token": "a.b.c"}, {"jti": "dec_other"}])
    def test_a_token_that_is_not_its_own_is_not_looked_for(
        self, unknown: Execution, executor: ScriptedExecutor, changes: dict[str, str]
    ) -> None:
        executor.found = done()
        Execution.objects.filter(pk=unknown.pk).update(**changes)

        assert reconcile(unknown) is S.UNKNOWN


def test_the_task_may_run_twice(unknown: Execution, executor: ScriptedExecutor) -> None:
    executor.found = done()
    tasks.reconcile(execution_id=unknown.pk)
    tasks.reconcile(execution_id=unknown.pk, later="argument")

    unknown.refresh_from_db()
    assert events(unknown).count("execution:resolve") == 1
