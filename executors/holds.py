"""Which brake, if any, stops an execution at present."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from audit import words
from executors.enums import HoldScope
from executors.errors import HeldError
from executors.models import Execution, Hold


def in_force(claims: Mapping[str, Any], execution: Execution) -> Hold | None:
    """Return the oldest hold that covers this decision, or None.

    ``claims`` are those of the verified token: the columns of the row only help to find it.
    """
    agent = claims["agent"]
    covering = covering_holds(
        agent=agent["id"], key=agent["key"], action=claims["action"], execution=execution.pk
    )
    return Hold.objects.filter(covering, lifted_at__isnull=True).order_by("set_at", "pk").first()


def covering_holds(*, agent: str, key: str, action: str, execution: str) -> Q:
    """Return which holds cover an execution of this agent, agent key and action."""
    return (
        Q(scope=HoldScope.EVERYTHING)
        | Q(scope=HoldScope.AGENT, value=agent)
        | Q(scope=HoldScope.KEY, value=key)
        | Q(scope=HoldScope.ACTION, value=action)
        | Q(scope=HoldScope.EXECUTION, value=execution)
    )


def check_none_in_force(claims: Mapping[str, Any], execution: Execution) -> None:
    """Check that no hold covers this decision.

    Raises:
        HeldError: naming the hold and its reason.
    """
    hold = in_force(claims, execution)
    if hold is not None:
        _, who = words.of_actor(hold.set_by)
        raise HeldError(f"Held by {who}: {hold.reason}", code="hold", hold_id=hold.pk)


def covered_by(scope: HoldScope, value: str) -> Q:
    """Return which executions a new hold covers, by the columns that help to find them."""
    return {
        HoldScope.EVERYTHING: Q(),
        HoldScope.AGENT: Q(agent=value),
        HoldScope.KEY: Q(agent_key=value),
        HoldScope.ACTION: Q(action=value),
        HoldScope.EXECUTION: Q(pk=value),
    }[scope]
