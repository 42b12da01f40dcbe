"""What a named person may do to one execution: revoke, hold, release, resolve."""

from collections.abc import Callable
from typing import Any

import pytest

from audit import actors, clock
from executors import services
from executors.enums import AttemptClass, HoldScope
from executors.enums import ExecutionStatus as S
from executors.errors import InvalidTransitionError, MissingReasonError, NotPermittedError
from executors.models import Execution, Hold
from tests.executors.conftest import events, run
from tests.executors.scripted import ScriptedExecutor, failed

pytestmark = pytest.mark.django_db

VERBS: dict[str, Callable[..., Execution]] = {
    "revoke": services.revoke,
    "hold": services.hold,
    "release": services.release,
    "resolve": services.resolve,
}


def steer(verb: str, execution: Execution, user: Any, reason: str = "I looked.") -> Execution:
    extra = {"outcome": S.FAILED} if verb == "resolve" else {}
    steered = VERBS[verb](execution_id=execution.pk, user=user, reason=reason, **extra)
    execution.refresh_from_db()
    return steered


@pytest.fixture
def held(execution: Execution, reviewer: Any) -> Execution:
    return services.hold(execution_id=execution.pk, user=reviewer, reason="Let me look.")


@pytest.mark.parametrize("verb", VERBS)
class TestEveryVerb:
    """Permission and reason come first."""

    @pytest.mark.parametrize("who", ["outsider", "auditor", "admin_user"])
    def test_only_who_was_given_the_permission(
        self, execution: Execution, request: pytest.FixtureRequest, verb: str, who: str
    ) -> None:
        with pytest.raises(NotPermittedError):
            steer(verb, execution, request.getfixturevalue(who))

        assert events(execution) == ["execution:queue"]

    @pytest.mark.parametrize("reason", ["", " \n"])
    def test_only_with_a_reason(
        self, execution: Execution, reviewer: Any, verb: str, reason: str
    ) -> None:
        with pytest.raises(MissingReasonError):
            steer(verb, execution, reviewer, reason)

    def test_it_tells_who_and_why(
        self, unknown: Execution, enqueue: Callable[..., Execution], reviewer: Any, verb: str
    ) -> None:
        execution = unknown if verb == "resolve" else enqueue()
        if verb == "release":
            services.hold(execution_id=execution.pk, user=reviewer, reason="Let me look.")
        steer(verb, execution, reviewer, "Talked to the customer.")

        row = Execution.history.filter(id=execution.pk).latest("number")
        assert row.actor == "person:reviewer"
        assert row.history_user_id == reviewer.pk
        assert row.history_change_reason == "Talked to the customer."
        assert row.event == f"execution:{verb}"


class TestRevoke:
    """An approval is taken back while nothing can have left."""

    def test_a_queued_one(self, execution: Execution, reviewer: Any) -> None:
        steer("revoke", execution, reviewer)

        assert (execution.status, execution.error_code) == ("REFUSED", "revoked")
        assert execution.finished_at is not None

    def test_a_held_one(self, held: Execution, reviewer: Any) -> None:
        steer("revoke", held, reviewer)

        assert (held.status, held.held_by) == ("REFUSED", None)

    def test_it_never_runs_any_more(
        self, execution: Execution, reviewer: Any, executor: ScriptedExecutor
    ) -> None:
        steer("revoke", execution, reviewer)

        assert run(execution) is S.REFUSED
        assert executor.sent == []

    @pytest.mark.parametrize("state", ["claimed", "unknown"])
    def test_not_once_something_may_have_left(
        self, request: pytest.FixtureRequest, reviewer: Any, state: str
    ) -> None:
        execution = request.getfixturevalue(state)

        with pytest.raises(InvalidTransitionError) as refused:
            steer("revoke", execution, reviewer)

        assert execution.status in refused.value.message

    def test_not_when_it_is_over(self, execution: Execution, reviewer: Any) -> None:
        run(execution)

        with pytest.raises(InvalidTransitionError):
            steer("revoke", execution, reviewer)


class TestHold:
    """One execution is stopped until somebody releases it."""

    def test_a_queued_one_at_once(self, held: Execution) -> None:
        assert (held.status, held.error_code) == ("HELD", "hold")
        assert held.held_by is not None
        assert (held.held_by.scope, held.held_by.value) == (HoldScope.EXECUTION, held.pk)

    def test_a_running_one_before_its_next_request(
        self,
        execution: Execution,
        executor: ScriptedExecutor,
        reviewer: Any,
        later: Callable[..., None],
    ) -> None:
        executor.answers = [failed(AttemptClass.NOT_EXECUTED)]
        run(execution)
        steer("hold", execution, reviewer)
        assert execution.status == "RUNNING"
        later(seconds=3)

        assert run(execution) is S.HELD
        assert len(executor.sent) == 1

    def test_not_twice(self, held: Execution, reviewer: Any) -> None:
        with pytest.raises(InvalidTransitionError):
            steer("hold", held, reviewer)

    def test_not_what_is_unknown(self, unknown: Execution, reviewer: Any) -> None:
        with pytest.raises(InvalidTransitionError):
            steer("hold", unknown, reviewer)

        assert not Hold.objects.exists()


class TestRelease:
    """What was held goes on."""

    def test_it_is_queued_again_and_rung_for(
        self,
        held: Execution,
        reviewer: Any,
        rung: list[str],
        django_capture_on_commit_callbacks: Callable[..., Any],
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            steer("release", held, reviewer)

        assert (held.status, held.error_code, held.held_by) == ("QUEUED", "", None)
        assert rung == [held.pk]
        assert run(held) is S.SUCCEEDED

    def test_its_hold_is_lifted_with_name_and_reason(self, held: Execution, reviewer: Any) -> None:
        steer("release", held, reviewer, "All is well.")

        hold = Hold.objects.get()
        assert (hold.lifted_by, hold.lift_reason) == ("person:reviewer", "All is well.")
        assert Hold.history.latest("number").event == "hold:lift"

    def test_one_that_a_configuration_held(
        self, execution: Execution, executor: ScriptedExecutor, reviewer: Any
    ) -> None:
        executor.answers = [failed(AttemptClass.CONFIGURATION)]
        run(execution)
        steer("release", execution, reviewer)

        assert run(execution) is S.SUCCEEDED
        assert executor.sent[0] == executor.sent[1]

    def test_a_running_one_only_loses_its_hold(
        self,
        execution: Execution,
        executor: ScriptedExecutor,
        reviewer: Any,
        later: Callable[..., None],
    ) -> None:
        executor.answers = [failed(AttemptClass.NOT_EXECUTED)]
        run(execution)
        steer("hold", execution, reviewer)
        steer("release", execution, reviewer)
        later(seconds=3)

        assert run(execution) is S.SUCCEEDED

    def test_a_larger_hold_still_stops_it(self, held: Execution, reviewer: Any) -> None:
        services.set_hold(
            scope=HoldScope.EVERYTHING,
            value="",
            reason="Something is odd.",
            actor=actors.system("test"),
            at=clock.now(),
        )
        steer("release", held, reviewer)

        assert run(held) is S.HELD

    def test_not_what_nothing_holds(self, execution: Execution, reviewer: Any) -> None:
        with pytest.raises(InvalidTransitionError):
            steer("release", execution, reviewer)

        assert events(execution) == ["execution:queue"]


class TestResolve:
    """A person settles what nobody knows, by what the provider shows."""

    def test_as_succeeded_with_the_providers_reference(
        self, unknown: Execution, reviewer: Any
    ) -> None:
        services.resolve(
            execution_id=unknown.pk,
            user=reviewer,
            reason="It is on Stripe's page.",
            outcome=S.SUCCEEDED,
            provider_reference=" re_123 ",
        )

        unknown.refresh_from_db()
        assert (unknown.status, unknown.provider_reference) == ("SUCCEEDED", "re_123")
        assert unknown.receipt is not None
        assert unknown.receipt["resolved_by"] == "reviewer"
        assert "request_id" not in unknown.receipt

    def test_as_failed(self, unknown: Execution, reviewer: Any) -> None:
        steer("resolve", unknown, reviewer)

        assert (unknown.status, unknown.error_code) == ("FAILED", "resolved_as_failed")
        assert unknown.receipt is None

    def test_a_success_needs_the_reference(self, unknown: Execution, reviewer: Any) -> None:
        with pytest.raises(InvalidTransitionError):
            services.resolve(
                execution_id=unknown.pk,
                user=reviewer,
                reason="I believe so.",
                outcome=S.SUCCEEDED,
                provider_reference=" ",
            )

    @pytest.mark.parametrize("outcome", [s for s in S if s not in (S.SUCCEEDED, S.FAILED)])
    def test_to_nothing_else(self, unknown: Execution, reviewer: Any, outcome: S) -> None:
        with pytest.raises(InvalidTransitionError):
            services.resolve(execution_id=unknown.pk, user=reviewer, reason="So.", outcome=outcome)

    def test_only_what_is_unknown(self, execution: Execution, reviewer: Any) -> None:
        with pytest.raises(InvalidTransitionError):
            steer("resolve", execution, reviewer)
