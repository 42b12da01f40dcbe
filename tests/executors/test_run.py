"""Carrying out one decision: the phases, and what each outcome leads to."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from audit import actors, clock
from audit.signing.tokens import token_digest
from executors import services
from executors.enums import AttemptClass, HoldScope
from executors.enums import ExecutionStatus as S
from executors.errors import FactsUnavailableError, PayloadError
from executors.models import Attempt, Execution, Intent
from executors.services import running
from executors.services.sending import begin_attempt
from tests.executors.conftest import OTHER_WORKER, events, run
from tests.executors.scripted import HERE, ScriptedExecutor, done, failed

pytestmark = pytest.mark.django_db


class TestSuccess:
    """claimed, intent, request, receipt."""

    def test_it_sends_once_and_keeps_the_receipt(
        self, execution: Execution, executor: ScriptedExecutor
    ) -> None:
        assert run(execution) is S.SUCCEEDED

        execution.refresh_from_db()
        assert len(executor.sent) == 1
        assert execution.provider_reference == "tr_1"
        assert execution.provider_status == "succeeded"
        assert execution.finished_at is not None
        assert execution.receipt is not None
        assert execution.receipt["amount"] == 9500
        assert execution.receipt["token_sha256"] == token_digest(execution.token)
        assert execution.lease_expires_at is None

    def test_its_story_is_told_in_order(self, execution: Execution) -> None:
        run(execution)

        assert events(execution) == [
            "execution:queue",
            "execution:claim",
            "execution:intent",
            "execution:succeed",
        ]

    def test_the_intent_is_what_was_sent(
        self, execution: Execution, executor: ScriptedExecutor
    ) -> None:
        run(execution)

        intent = Intent.objects.get(execution=execution)
        prepared, key = executor.sent[0]
        assert key == intent.idempotency_key == f"cs_{execution.jti}"
        assert prepared.body == intent.body == "amount=9500&release=1"
        assert (prepared.method, prepared.path) == (intent.method, intent.path)
        assert (intent.provider_kind, intent.account, intent.livemode) == (
            HERE.kind,
            HERE.account,
            HERE.livemode,
        )
        assert intent.api_version == prepared.api_version

    def test_the_attempt_says_what_it_proved(self, execution: Execution) -> None:
        run(execution)

        attempt = Attempt.objects.get(execution=execution)
        assert (attempt.number, attempt.fence) == (1, 1)
        assert (attempt.outcome, attempt.http_status, attempt.request_id) == ("DONE", 200, "req_1")
        assert attempt.ended_at is not None

    def test_the_second_run_does_nothing(
        self, execution: Execution, executor: ScriptedExecutor
    ) -> None:
        run(execution)

        assert run(execution, OTHER_WORKER) is S.SUCCEEDED
        assert len(executor.sent) == 1

    def test_nothing_is_run_for_an_unknown_id(self, db: None) -> None:
        assert services.run(execution_id="exe_forged", worker="w") is None

    def test_a_receipt_that_failed_at_once_is_a_failure(
        self, execution: Execution, executor: ScriptedExecutor
    ) -> None:
        executor.answers = [
            done(provider_status="failed", failed=True, failure_code="expired_or_canceled_card")
        ]

        assert run(execution) is S.FAILED
        execution.refresh_from_db()
        assert execution.error_code == "expired_or_canceled_card"
        assert execution.provider_status == "failed"

    def test_a_receipt_about_something_else_is_an_alarm(
        self, execution: Execution, executor: ScriptedExecutor, alarms: Callable[[], list[str]]
    ) -> None:
        executor.answers = [done(amount_minor=9501)]

        assert run(execution) is S.SUCCEEDED
        assert alarms() == ["receipt_mismatch"]

    def test_an_action_without_money_has_no_currency_to_compare(
        self, enqueue: Callable[..., Execution], executor: ScriptedExecutor
    ) -> None:
        executor.currency = FactsUnavailableError("never asked")

        assert run(enqueue(payload={"plan": "basic"})) is S.SUCCEEDED


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_provider_is_asked(
    enqueue: Callable[..., Execution], executor: ScriptedExecutor
) -> None:
    open_then: list[bool] = []
    execution = enqueue()
    executor.before_sending = lambda: open_then.append(transaction.get_connection().in_atomic_block)

    assert run(execution) is S.SUCCEEDED
    assert open_then == [False]


def test_everything_is_written_down_before_it_is_sent(
    execution: Execution, executor: ScriptedExecutor
) -> None:
    seen: list[tuple[int, int]] = []
    executor.before_sending = lambda: seen.append(
        (Intent.objects.count(), Attempt.objects.filter(ended_at__isnull=True).count())
    )

    run(execution)

    assert seen == [(1, 1)]


class TestBeforeTheIntent:
    """The payment's own currency, read anew."""

    def test_another_currency_is_refused(
        self, execution: Execution, executor: ScriptedExecutor
    ) -> None:
        executor.currency = "jpy"

        assert run(execution) is S.REFUSED
        execution.refresh_from_db()
        assert execution.error_code == "currency_mismatch"
        assert executor.sent == []
        assert not Intent.objects.exists()

    def test_a_payment_that_is_not_there_is_refused(
        self, execution: Execution, executor: ScriptedExecutor
    ) -> None:
        executor.currency = PayloadError("No such payment.", code="unknown_payment")

        assert run(execution) is S.REFUSED
        execution.refresh_from_db()
        assert execution.error_code == "unknown_payment"

    def test_an_unreadable_payment_waits_in_the_queue(
        self, execution: Execution, executor: ScriptedExecutor, later: Callable[..., None]
    ) -> None:
        executor.currency = FactsUnavailableError("Stripe is down.")

        assert run(execution) is S.QUEUED
        execution.refresh_from_db()
        assert execution.error_code == "facts_unavailable"
        assert execution.next_attempt_at is not None
        assert run(execution) is S.QUEUED, "not before its time"
        executor.currency = "usd"
        later(seconds=3)
        assert run(execution) is S.SUCCEEDED

    def test_it_is_not_compared_again_once_something_may_have_left(
        self, execution: Execution, executor: ScriptedExecutor, later: Callable[..., None]
    ) -> None:
        executor.answers = [failed(AttemptClass.AMBIGUOUS)]
        run(execution)
        executor.currency = FactsUnavailableError("never asked")
        later(seconds=3)

        assert run(execution) is S.SUCCEEDED


class TestProvider:
    """The account of the worker's key."""

    def test_a_key_that_is_not_accepted_holds_with_an_alarm(
        self, execution: Execution, executor: ScriptedExecutor, alarms: Callable[[], list[str]]
    ) -> None:
        executor.account = failed(AttemptClass.CONFIGURATION, "api_key_expired")

        assert run(execution) is S.HELD
        assert alarms() == ["api_key_expired"]

    def test_a_silent_provider_is_asked_again(
        self, execution: Execution, executor: ScriptedExecutor
    ) -> None:
        executor.account = failed(AttemptClass.AMBIGUOUS, "connection_error")

        assert run(execution) is S.QUEUED

    def test_a_silent_provider_after_something_may_have_left(
        self, execution: Execution, executor: ScriptedExecutor, later: Callable[..., None]
    ) -> None:
        executor.answers = [failed(AttemptClass.AMBIGUOUS)]
        run(execution)
        executor.account = failed(AttemptClass.AMBIGUOUS, "connection_error")
        later(seconds=3)

        assert run(execution) is S.RUNNING
        execution.refresh_from_db()
        assert execution.error_code == "connection_error"
        assert execution.next_attempt_at is not None

    def test_a_key_that_is_refused_after_something_may_have_left(
        self, execution: Execution, executor: ScriptedExecutor, later: Callable[..., None]
    ) -> None:
        executor.answers = [failed(AttemptClass.AMBIGUOUS)]
        run(execution)
        executor.account = failed(AttemptClass.CONFIGURATION)
        later(seconds=3)

        assert run(execution) is S.RUNNING


def test_a_hold_thrown_after_the_claim_stops_it(
    execution: Execution, executor: ScriptedExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = executor.prepare

    def prepare_and_pull_the_brake(claims: Any, token_sha256: str) -> Any:
        services.set_hold(
            scope=HoldScope.EVERYTHING,
            value="",
            reason="Something is odd.",
            actor=actors.system("test"),
            at=clock.now(),
        )
        return prepare(claims, token_sha256)

    monkeypatch.setattr(executor, "prepare", prepare_and_pull_the_brake)

    assert run(execution) is S.HELD
    assert executor.sent == []
    assert not Attempt.objects.exists()


def test_its_time_may_be_over_before_it_is_sent(
    enqueue: Callable[..., Execution],
    executor: ScriptedExecutor,
    monkeypatch: pytest.MonkeyPatch,
    later: Callable[..., None],
) -> None:
    execution = enqueue(exp=int(clock.now().timestamp()) + 30)
    monkeypatch.setattr(running, "begin_attempt", after(later, begin_attempt, seconds=31))

    assert run(execution) is S.REFUSED
    assert executor.sent == []


def after(later: Callable[..., None], call: Callable[..., Any], **by: float) -> Callable[..., Any]:
    """Let time pass before a call."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        later(**by)
        return call(*args, **kwargs)

    return wrapped
