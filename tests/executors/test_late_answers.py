"""Our own earlier success behind a refusal, and workers that come back too late."""

import time
from collections.abc import Callable

import pytest

from audit import actors, clock
from executors import services
from executors.enums import AttemptClass as C
from executors.enums import ExecutionStatus as S
from executors.errors import LookUpMismatchError, LostLeaseError
from executors.models import Attempt, Execution
from executors.services import settling
from executors.services.sending import begin_attempt
from tests.executors.conftest import OTHER_WORKER, events, run
from tests.executors.scripted import ScriptedExecutor, done, failed

pytestmark = pytest.mark.django_db


class TestAlreadyRefunded:
    """A final refusal that may be about our own earlier success is looked up first."""

    REFUSAL = "charge_already_refunded"

    def test_our_own_success_is_found(
        self, execution: Execution, executor: ScriptedExecutor
    ) -> None:
        executor.answers = [failed(C.FINAL, self.REFUSAL)]
        executor.found = done(reference="tr_ours")

        assert run(execution) is S.SUCCEEDED
        execution.refresh_from_db()
        assert execution.provider_reference == "tr_ours"
        assert Attempt.objects.get().outcome == C.FINAL

    def test_somebody_elses_refund_is_a_failure(
        self, execution: Execution, executor: ScriptedExecutor
    ) -> None:
        executor.answers = [failed(C.FINAL, self.REFUSAL)]

        assert run(execution) is S.FAILED

    def test_what_cannot_be_read_is_tried_again(
        self, execution: Execution, executor: ScriptedExecutor
    ) -> None:
        executor.answers = [failed(C.FINAL, self.REFUSAL)]
        executor.found = failed(C.AMBIGUOUS, "connection_error")

        assert run(execution) is S.RUNNING
        execution.refresh_from_db()
        assert (execution.ambiguous, execution.error_code) == (True, self.REFUSAL)

    def test_what_matches_only_in_part_is_unknown_and_an_alarm(
        self, execution: Execution, executor: ScriptedExecutor, alarms: Callable[[], list[str]]
    ) -> None:
        executor.answers = [failed(C.FINAL, self.REFUSAL)]
        executor.found = LookUpMismatchError(
            "Two refunds.", attempt_class=C.AMBIGUOUS, code="look_up_duplicate"
        )

        assert run(execution) is S.UNKNOWN
        assert alarms() == ["look_up_duplicate", "outcome_unknown"]

    def test_any_final_refusal_after_an_ambiguous_try_is_looked_up(
        self, execution: Execution, executor: ScriptedExecutor, later: Callable[..., None]
    ) -> None:
        executor.answers = [failed(C.AMBIGUOUS), failed(C.FINAL, "amount_too_large")]
        executor.found = done(reference="tr_ours")
        run(execution)
        later(seconds=3)

        assert run(execution) is S.SUCCEEDED

    def test_other_refusals_on_the_first_try_are_believed(
        self, execution: Execution, executor: ScriptedExecutor
    ) -> None:
        executor.answers = [failed(C.FINAL, "resource_missing")]
        executor.found = done(reference="tr_ours")

        assert run(execution) is S.FAILED


class TestStaleWorker:
    """A worker that was taken over writes nothing."""

    def test_its_result_is_not_written(
        self,
        execution: Execution,
        executor: ScriptedExecutor,
        later: Callable[..., None],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def another_takes_over() -> None:
            executor.before_sending = lambda: None
            later(seconds=60)
            assert run(execution, OTHER_WORKER) is S.SUCCEEDED

        executor.before_sending = another_takes_over
        executor.answers = [done(reference="tr_fresh"), done(reference="tr_stale")]

        assert run(execution) is S.SUCCEEDED
        execution.refresh_from_db()
        assert execution.provider_reference == "tr_fresh"
        assert events(execution).count("execution:succeed") == 1
        assert "taken over" in caplog.text
        assert executor.sent[0] == executor.sent[1]

    def test_it_begins_no_attempt(self, claimed: Execution, later: Callable[..., None]) -> None:
        later(seconds=60)
        services.claim(execution_id=claimed.pk, worker=OTHER_WORKER)

        with pytest.raises(LostLeaseError):
            begin_attempt(claimed)

        assert not Attempt.objects.exists()

    def test_it_begins_no_attempt_when_its_lease_lapsed(
        self, claimed: Execution, later: Callable[..., None]
    ) -> None:
        later(seconds=60)

        with pytest.raises(LostLeaseError):
            begin_attempt(claimed)

    def test_it_cannot_end_an_attempt_that_was_closed(
        self, claimed: Execution, executor: ScriptedExecutor
    ) -> None:
        attempt = begin_attempt(claimed)
        Attempt.objects.update(ended_at=clock.now(), outcome=C.AMBIGUOUS)

        with pytest.raises(LostLeaseError):
            settling.settle(claimed, attempt, done(), actor=actors.worker("host-1:100"))


class TestHowLateARequestMayLeave:
    """A process that stands still after its last check sends nothing when it goes on."""

    def test_not_after_its_lease(self, execution: Execution, executor: ScriptedExecutor) -> None:
        started = time.monotonic()
        run(execution)

        assert started < executor.not_after <= time.monotonic() + 50

    def test_not_after_exp(
        self, enqueue: Callable[..., Execution], executor: ScriptedExecutor
    ) -> None:
        started = time.monotonic()
        run(enqueue(exp=int(clock.now().timestamp()) + 20))

        assert started < executor.not_after <= time.monotonic() + 20
