"""The request's state machine, as a table. Everything else about it is derived from here."""

from collections.abc import Mapping
from dataclasses import dataclass

from approvals.enums import EventType
from approvals.enums import RequestStatus as S


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One allowed step: who may cause it, and the event that it writes."""

    by: tuple[str, ...]
    event: EventType


#: What may follow what. A status that is missing on the left is final. BLOCKED is given at birth.
TRANSITIONS: Mapping[S, Mapping[S, Transition]] = {
    S.PENDING: {
        S.APPROVED: Transition(by=("person",), event=EventType.REQUEST_APPROVE),
        S.APPROVED_WITH_MODIFICATIONS: Transition(by=("person",), event=EventType.REQUEST_APPROVE),
        S.REJECTED: Transition(by=("person",), event=EventType.REQUEST_REJECT),
        S.WITHDRAWN: Transition(by=("agent",), event=EventType.REQUEST_WITHDRAW),
        S.EXPIRED: Transition(by=("system",), event=EventType.REQUEST_EXPIRE),
    },
}

#: The statuses in which a request may come into the world.
AT_BIRTH = frozenset({S.PENDING, S.BLOCKED})


def allows(before: S, after: S) -> bool:
    """Tell whether the table has this step."""
    return after in TRANSITIONS.get(before, {})


def is_final(status: S) -> bool:
    """Tell whether nothing may follow."""
    return not TRANSITIONS.get(status)
