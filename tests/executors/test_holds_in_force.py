"""Which brake is named when several hold, and what a brake on one execution covers."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from audit import actors, clock
from executors import holds, services, verification
from executors.enums import ExecutionStatus as S
from executors.enums import HoldScope
from executors.errors import HeldError
from executors.models import Execution, Hold
from tests.executors.conftest import run

pytestmark = pytest.mark.django_db


def set_hold(scope: HoldScope, value: str, **ago: float) -> Hold:
    return services.set_hold(
        scope=scope,
        value=value,
        reason=f"{scope} is odd.",
        actor=actors.system("test"),
        at=clock.now() - timedelta(**ago),
    )


def claims_of(execution: Execution) -> Any:
    return verification.verify(execution, at=clock.now()).claims


def test_the_oldest_is_named(execution: Execution) -> None:
    set_hold(HoldScope.AGENT, "agt_1")
    oldest = set_hold(HoldScope.KEY, "key_1", minutes=2)
    set_hold(HoldScope.EVERYTHING, "", minutes=1)

    with pytest.raises(HeldError) as held:
        holds.check_none_in_force(claims_of(execution), execution)

    assert held.value.hold_id == oldest.pk
    assert held.value.code == "hold"
    assert held.value.message == "Held by test: KEY is odd."


def test_a_lifted_one_is_not_named(execution: Execution) -> None:
    set_hold(HoldScope.EVERYTHING, "", minutes=1)
    services.lift_holds(
        scope=HoldScope.EVERYTHING,
        value="",
        reason="All is well.",
        actor=actors.system("test"),
        at=clock.now(),
    )

    assert holds.in_force(claims_of(execution), execution) is None


def test_one_on_an_execution_stops_that_one_alone(
    execution: Execution, enqueue: Callable[..., Execution]
) -> None:
    hold = set_hold(HoldScope.EXECUTION, execution.pk)
    other = enqueue()

    assert holds.in_force(claims_of(execution), execution) == hold
    assert holds.in_force(claims_of(other), other) is None
    execution.refresh_from_db()
    assert (execution.status, execution.held_by) == (S.HELD, hold)
    assert run(other) is S.SUCCEEDED


@pytest.mark.parametrize(
    ("scope", "value"),
    [
        (HoldScope.AGENT, "key_1"),
        (HoldScope.KEY, "agt_1"),
        (HoldScope.ACTION, "agt_1"),
        (HoldScope.AGENT, "test.transfer"),
    ],
)
def test_a_value_of_another_scope_stops_nothing(
    execution: Execution, scope: HoldScope, value: str
) -> None:
    set_hold(scope, value)

    assert holds.in_force(claims_of(execution), execution) is None
    assert run(execution) is S.SUCCEEDED


def test_an_agent_called_like_an_execution_stops_nothing(execution: Execution) -> None:
    set_hold(HoldScope.AGENT, execution.pk)

    assert holds.in_force(claims_of(execution), execution) is None
