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
    covering = (
        Q(scope=HoldScope.EVERYTHING)
        | Q(scope=HoldScope.AGENT, value=agent["id"])
        | Q(scope=HoldScope.KEY, value=agent["key"])
        | Q(scope=HoldScope.ACTION, value=claims["action"])
        | Q(scope=HoldScope.EXECUTION, value=execution.pk)
    )
    return Hold.objects.filter(covering, lifted_at__isnull=True).order_by("set_at", "pk").first()


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
