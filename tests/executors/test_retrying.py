"""The error table: what each class of outcome leads to, at once and in the end."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from executors.enums import AttemptClass as C
from executors.enums import ExecutionStatus as S
from executors.models import Attempt, Execution
from executors.services import settling
from executors.services.stopping import delay_after
from tests.executors.conftest import OTHER_WORKER, events, run
from tests.executors.scripted import ScriptedExecutor, done, failed

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("attempt_class", "first", "after_ambiguous"),
    [
        (C.AMBIGUOUS, S.RUNNING, S.RUNNING),
        (C.NOT_EXECUTED, S.RUNNING, S.RUNNING),
        (C.FINAL, S.FAILED, S.FAILED),
        (C.OUR_BUG, S.UNKNOWN, S.UNKNOWN),
        (C.CONFIGURATION, S.HELD, S.RUNNING),
    ],
)
class TestTable:
    """Where each class leads, on the first try and when an earlier one was ambiguous."""

    def test_on_the_first_try(
        self,
        execution: Execution,
        executor: ScriptedExecutor,
        attempt_class: C,
        first: S,
        after_ambiguous: S,
    ) -> None:
        executor.answers = [failed(attempt_class, http_status=418, request_id="req_9")]

        assert run(execution) is first
        attempt = Attempt.objects.get(execution=execution)
        assert (attempt.outcome, attempt.error_code) == (attempt_class, "some_code")
        assert (attempt.http_status, attempt.request_id) == (418, "req_9")
        execution.refresh_from_db()
        assert execution.error_code == "some_code"
        assert execution.ambiguous == (attempt_class in (C.AMBIGUOUS, C.OUR_BUG))

    def test_after_an_ambiguous_try(
        self,
        execution: Execution,
        executor: ScriptedExecutor,
        later: Callable[..., None],
        attempt_class: C,
        first: S,
        after_ambiguous: S,
    ) -> None:
        executor.answers = [failed(C.AMBIGUOUS), failed(attempt_class)]
        run(execution)
        later(seconds=3)

        assert run(execution) is after_ambiguous
        execution.refresh_from_db()
        assert execution.ambiguous


def test_whatever_nobody_foresaw_is_ambiguous(
    execution: Execution, executor: ScriptedExecutor
) -> None:
    executor.answers = [AttributeError("'list' object has no attribute 'get'")]

    assert run(execution) is S.RUNNING
    assert Attempt.objects.get().outcome == C.AMBIGUOUS
    assert Attempt.objects.get().error_code == "executor_failed"


@pytest.mark.parametrize("attempt_class", [C.OUR_BUG, C.CONFIGURATION])
def test_what_an_operator_must_mend_is_an_alarm(
    execution: Execution,
    executor: ScriptedExecutor,
    alarms: Callable[[], list[str]],
    attempt_class: C,
) -> None:
    executor.answers = [failed(attempt_class, "idempotency_error")]

    run(execution)

    assert "idempotency_error" in alarms()


def test_a_retry_sends_the_same_bytes_under_the_same_key(
    execution: Execution, executor: ScriptedExecutor, later: Callable[..., None]
) -> None:
    executor.answers = [failed(C.AMBIGUOUS), done()]
    run(execution)
    executor.builder_release = "2"
    later(seconds=3)

    assert run(execution) is S.SUCCEEDED
    assert executor.sent[0] == executor.sent[1]
    assert events(execution)[-3:] == [
        "execution:retry",
        "execution:reclaim",
        "execution:succeed",
    ]


def test_a_take_over_sends_the_same_bytes(
    execution: Execution, executor: ScriptedExecutor, later: Callable[..., None]
) -> None:
    executor.answers = [KeyboardInterrupt(), done()]
    with pytest.raises(KeyboardInterrupt):
        run(execution)
    executor.builder_release = "2"
    later(seconds=60)

    assert run(execution, OTHER_WORKER) is S.SUCCEEDED
    assert executor.sent[0] == executor.sent[1]
    assert [attempt.outcome for attempt in Attempt.objects.all()] == [C.AMBIGUOUS, C.DONE]
    assert [attempt.fence for attempt in Attempt.objects.all()] == [1, 2]


class TestTime:
    """When the next try is, and when it is too late for one."""

    def next_in(self, execution: Execution) -> timedelta:
        execution.refresh_from_db()
        ended = Attempt.objects.filter(execution=execution).latest("number").ended_at
        assert execution.next_attempt_at is not None
        assert ended is not None
        return execution.next_attempt_at - ended

    def test_the_waits_double_up_to_five_minutes(self) -> None:
        waits = [delay_after(tries) for tries in (0, 1, 2, 3, 8, 9, 1000)]

        assert waits == [2, 2, 4, 8, 256, 300, 300]

    def test_each_try_waits_longer(
        self, execution: Execution, executor: ScriptedExecutor, later: Callable[..., None]
    ) -> None:
        executor.answers = [failed(C.AMBIGUOUS), failed(C.AMBIGUOUS)]
        run(execution)
        first = self.next_in(execution)
        later(seconds=3)
        run(execution)

        assert (first, self.next_in(execution)) == (timedelta(seconds=2), timedelta(seconds=4))

    def test_the_provider_may_ask_for_a_longer_wait(
        self, execution: Execution, executor: ScriptedExecutor
    ) -> None:
        executor.answers = [failed(C.NOT_EXECUTED, retry_after=120)]
        run(execution)

        assert self.next_in(execution) == timedelta(seconds=120)

    def test_the_provider_cannot_ask_for_a_wait_past_exp(
        self, execution: Execution, executor: ScriptedExecutor
    ) -> None:
        executor.answers = [failed(C.NOT_EXECUTED, retry_after=24 * 3600)]
        run(execution)
        execution.refresh_from_db()

        assert execution.next_attempt_at == execution.expires_at

    def test_a_configuration_that_may_have_sent_is_looked_at_rarely(
        self, execution: Execution, executor: ScriptedExecutor, later: Callable[..., None]
    ) -> None:
        executor.answers = [failed(C.AMBIGUOUS), failed(C.CONFIGURATION)]
        run(execution)
        later(seconds=3)
        run(execution)

        assert self.next_in(execution) == timedelta(seconds=300)

    @pytest.mark.parametrize(
        ("attempt_class", "end"), [(C.AMBIGUOUS, S.UNKNOWN), (C.NOT_EXECUTED, S.REFUSED)]
    )
    def test_nothing_is_sent_after_exp(
        self,
        execution: Execution,
        executor: ScriptedExecutor,
        later: Callable[..., None],
        attempt_class: C,
        end: S,
    ) -> None:
        executor.answers = [failed(attempt_class)]
        run(execution)
        later(hours=4)

        assert run(execution) is end
        assert len(executor.sent) == 1

    @pytest.mark.parametrize(
        ("attempt_class", "end"), [(C.AMBIGUOUS, S.UNKNOWN), (C.NOT_EXECUTED, S.REFUSED)]
    )
    def test_it_gives_up_after_many_tries(
        self,
        execution: Execution,
        executor: ScriptedExecutor,
        later: Callable[..., None],
        monkeypatch: pytest.MonkeyPatch,
        attempt_class: C,
        end: S,
    ) -> None:
        monkeypatch.setattr(settling, "MOST_ATTEMPTS", 2)
        executor.answers = [failed(attempt_class), failed(attempt_class)]
        run(execution)
        later(seconds=10)

        assert run(execution) is end
        execution.refresh_from_db()
        assert execution.error_code == "attempts_exhausted"

    def test_a_stored_500_is_not_asked_for_again_and_again(
        self, execution: Execution, executor: ScriptedExecutor, later: Callable[..., None]
    ) -> None:
        executor.answers = [failed(C.AMBIGUOUS, http_status=500) for _ in range(10)]
        statuses = []
        for _ in range(6):
            statuses.append(run(execution))
            later(seconds=60)

        assert statuses[-2:] == [S.UNKNOWN, S.UNKNOWN]
        assert len(executor.sent) == settling.MOST_SERVER_ERRORS
