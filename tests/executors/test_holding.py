"""Brakes on agents, keys, actions, everything."""

from collections.abc import Callable
from typing import Any

import pytest

from audit import actors, clock
from executors import services
from executors.enums import ExecutionStatus as S
from executors.enums import HoldScope
from executors.errors import MissingReasonError
from executors.models import Execution, Hold
from tests.executors.conftest import events, run

pytestmark = pytest.mark.django_db

COVERING = [
    (HoldScope.EVERYTHING, ""),
    (HoldScope.AGENT, "agt_1"),
    (HoldScope.KEY, "key_1"),
    (HoldScope.ACTION, "test.transfer"),
]
NOT_COVERING = [
    (HoldScope.AGENT, "agt_2"),
    (HoldScope.KEY, "key_2"),
    (HoldScope.ACTION, "test.other"),
    (HoldScope.EXECUTION, "exe_other"),
]


def set_hold(scope: HoldScope, value: str, reason: str = "Something is odd.") -> Hold:
    return services.set_hold(
        scope=scope, value=value, reason=reason, actor=actors.system("test"), at=clock.now()
    )


def lift(scope: HoldScope, value: str, reason: str = "All is well.") -> list[Hold]:
    return services.lift_holds(
        scope=scope, value=value, reason=reason, actor=actors.system("test"), at=clock.now()
    )


@pytest.mark.parametrize(("scope", "value"), COVERING)
class TestCovering:
    """A hold stops what it covers, before it and after it."""

    def test_what_is_queued_is_held_at_once(
        self, execution: Execution, scope: HoldScope, value: str
    ) -> None:
        hold = set_hold(scope, value)

        execution.refresh_from_db()
        assert (execution.status, execution.held_by) == ("HELD", hold)

    def test_what_is_queued_later_is_held_when_claimed(
        self, enqueue: Callable[..., Execution], scope: HoldScope, value: str
    ) -> None:
        hold = set_hold(scope, value)
        execution = enqueue()

        assert run(execution) is S.HELD
        execution.refresh_from_db()
        assert execution.held_by == hold

    def test_lifting_it_queues_again_what_it_held(
        self, execution: Execution, scope: HoldScope, value: str
    ) -> None:
        hold = set_hold(scope, value)

        assert lift(scope, value) == [hold]
        assert run(execution) is S.SUCCEEDED
        assert events(execution)[1:3] == ["execution:hold", "execution:release"]


@pytest.mark.parametrize(("scope", "value"), NOT_COVERING)
def test_others_go_on(
    execution: Execution, enqueue: Callable[..., Execution], scope: HoldScope, value: str
) -> None:
    set_hold(scope, value)

    assert run(execution) is S.SUCCEEDED
    assert run(enqueue()) is S.SUCCEEDED


def test_the_token_counts_and_not_the_row(enqueue: Callable[..., Execution]) -> None:
    set_hold(HoldScope.AGENT, "agt_1")
    execution = enqueue()
    Execution.objects.filter(pk=execution.pk).update(agent="agt_innocent")

    assert run(execution) is S.HELD


def test_what_another_hold_covers_too_is_held_again(execution: Execution) -> None:
    set_hold(HoldScope.AGENT, "agt_1")
    set_hold(HoldScope.EVERYTHING, "")
    lift(HoldScope.AGENT, "agt_1")

    assert run(execution) is S.HELD


def test_lifting_leaves_what_something_else_held(execution: Execution, reviewer: Any) -> None:
    services.hold(execution_id=execution.pk, user=reviewer, reason="Let me look.")
    set_hold(HoldScope.AGENT, "agt_1")
    lift(HoldScope.AGENT, "agt_1")

    execution.refresh_from_db()
    assert execution.status == "HELD"


def test_all_holds_of_a_scope_and_value_are_lifted_once(db: None) -> None:
    set_hold(HoldScope.AGENT, "agt_1")
    set_hold(HoldScope.AGENT, "agt_1")

    assert len(lift(HoldScope.AGENT, "agt_1")) == 2
    assert lift(HoldScope.AGENT, "agt_1") == []


def test_a_hold_has_a_history_of_its_own(db: None) -> None:
    hold = set_hold(HoldScope.AGENT, "agt_1")
    lift(HoldScope.AGENT, "agt_1")

    rows = Hold.history.filter(id=hold.pk).order_by("number")
    assert [(row.event, row.actor) for row in rows] == [
        ("hold:set", "system:test"),
        ("hold:lift", "system:test"),
    ]


def test_a_reason_is_needed(db: None) -> None:
    with pytest.raises(MissingReasonError):
        set_hold(HoldScope.EVERYTHING, "", reason=" ")
    with pytest.raises(MissingReasonError):
        lift(HoldScope.EVERYTHING, "", reason="")


@pytest.mark.parametrize(
    ("scope", "value"), [(HoldScope.EVERYTHING, "agt_1"), (HoldScope.AGENT, "")]
)
def test_the_value_fits_the_scope(db: None, scope: HoldScope, value: str) -> None:
    with pytest.raises(ValueError, match="cannot have the value"):
        set_hold(scope, value)

    assert not Hold.objects.exists()
