"""The execution's state machine, as a table. Everything else about it is derived from here."""

from collections.abc import Mapping
from dataclasses import dataclass

from executors.enums import EventType
from executors.enums import ExecutionStatus as S


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One allowed step: who may cause it, and the event that it writes.

    ``also`` are the other events that the same step may be written as, for a finer story.
    """

    by: tuple[str, ...]
    event: EventType
    also: tuple[EventType, ...] = ()


#: What may follow what. A status that is missing on the left is final.
TRANSITIONS: Mapping[S, Mapping[S, Transition]] = {
    S.QUEUED: {
        S.RUNNING: Transition(by=("worker",), event=EventType.EXECUTION_CLAIM),
        S.HELD: Transition(by=("worker", "person", "system"), event=EventType.EXECUTION_HOLD),
        S.REFUSED: Transition(
            by=("worker", "person", "system"),
            event=EventType.EXECUTION_REFUSE,
            also=(EventType.EXECUTION_REVOKE,),
        ),
    },
    S.HELD: {
        S.QUEUED: Transition(by=("person", "system"), event=EventType.EXECUTION_RELEASE),
        S.REFUSED: Transition(
            by=("worker", "person", "system"),
            event=EventType.EXECUTION_REFUSE,
            also=(EventType.EXECUTION_REVOKE,),
        ),
    },
    S.RUNNING: {
        S.RUNNING: Transition(
            by=("worker",),
            event=EventType.EXECUTION_RECLAIM,
            also=(EventType.EXECUTION_INTENT, EventType.EXECUTION_RETRY),
        ),
        S.QUEUED: Transition(by=("worker",), event=EventType.EXECUTION_RETRY),
        S.HELD: Transition(by=("worker",), event=EventType.EXECUTION_HOLD),
        S.REFUSED: Transition(by=("worker",), event=EventType.EXECUTION_REFUSE),
        S.SUCCEEDED: Transition(by=("worker",), event=EventType.EXECUTION_SUCCEED),
        S.FAILED: Transition(by=("worker",), event=EventType.EXECUTION_FAIL),
        S.UNKNOWN: Transition(by=("worker",), event=EventType.EXECUTION_LOSE_TRACK),
    },
    S.UNKNOWN: {
        S.SUCCEEDED: Transition(by=("worker", "person"), event=EventType.EXECUTION_RESOLVE),
        S.FAILED: Transition(by=("worker", "person"), event=EventType.EXECUTION_RESOLVE),
    },
    S.SUCCEEDED: {
        S.SUCCEEDED: Transition(by=("worker",), event=EventType.EXECUTION_FOLLOW),
        S.REVERSED: Transition(by=("worker",), event=EventType.EXECUTION_REVERSE),
    },
}

#: Nothing is waited for any more; the row says since when. (A success may still be REVERSED.)
FINISHED = frozenset({S.SUCCEEDED, S.FAILED, S.REFUSED, S.REVERSED})

#: From RUNNING these are allowed only while no attempt was ambiguous.
ONLY_UNAMBIGUOUS = frozenset({S.QUEUED, S.HELD, S.REFUSED})


def allows(before: S, after: S) -> bool:
    """Tell whether the table has this step."""
    return after in TRANSITIONS.get(before, {})


def is_final(status: S) -> bool:
    """Tell whether nothing may follow."""
    return not TRANSITIONS.get(status)
