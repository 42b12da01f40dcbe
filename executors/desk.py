"""What this floor tells the auditor's desk: what became of a decision, and what stopped it."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Q

from audit import clock
from audit.desk import telling
from audit.desk.telling import Note, Tell, Telling
from audit.evidence.sealed import SaidRow
from executors import evidence, holds
from executors.enums import EventType, ExecutionStatus, FindingKind, HoldScope
from executors.models import Attempt, Execution, Finding, Hold, ProviderEvent, Reading

_ANSWERED = (
    EventType.EXECUTION_SUCCEED,
    EventType.EXECUTION_FAIL,
    EventType.EXECUTION_FOLLOW,
    EventType.EXECUTION_RESOLVE,
    EventType.EXECUTION_REVERSE,
)
#: Of each kind; more than an execution ever has, and few enough for one page.
_MOST = 100


def connect() -> None:
    """Register what this floor tells."""
    tells: dict[Any, Tell] = {Execution: _execution, Finding: _finding, Hold: _hold}
    telling.register(tells=tells, notes=_notes, related=_holds)


def _execution(row: SaidRow) -> Telling:
    fields, event = row.said["fields"], row.said["event"]
    words = f"status: {ExecutionStatus(fields['status']).label}"
    if fields["provider_reference"]:
        words += f", {fields['provider_reference']}, {fields['provider_status']}"
    if fields["error_code"]:
        words += f", {fields['error_code']}: {fields['error_message']}"
    if event == EventType.EXECUTION_INTENT:
        return Telling(words=words, sections=[evidence.sent(fields["id"], [row])])
    if event in _ANSWERED:
        return Telling(words=words, sections=[evidence.answered(row)])
    return Telling(words=words)


def _finding(row: SaidRow) -> Telling:
    fields = row.said["fields"]
    kind = FindingKind(fields["kind"]).label
    return Telling(words=f"{kind}: {fields['provider_reference']}. {fields['message']}")


def _hold(row: SaidRow) -> Telling:
    fields = row.said["fields"]
    return Telling(words=f"on {HoldScope(fields['scope']).label.lower()} {fields['value']}".strip())


def _holds(subject: str) -> Iterator[str]:
    """Yield the holds that covered an execution between its beginning and its end."""
    for execution in Execution.objects.filter(subject=subject):
        covering = holds.covering_holds(
            agent=execution.agent,
            key=execution.agent_key,
            action=execution.action,
            execution=execution.pk,
        )
        end = execution.finished_at or clock.now()
        stood = Q(lifted_at__isnull=True) | Q(lifted_at__gte=execution.queued_at)
        found = Hold.objects.filter(covering, stood, set_at__lte=end).order_by("set_at", "pk")
        yield from found.values_list("pk", flat=True)[:_MOST]


def _notes(subject: str) -> Iterator[Note]:
    for execution in Execution.objects.filter(subject=subject):
        fences = dict(execution.history.values_list("fence", "claimed_by"))
        for attempt in Attempt.objects.filter(execution=execution)[:_MOST]:
            line = evidence.attempt_line(attempt)
            worker = fences.get(attempt.fence) or "unnamed"
            yield Note(
                at=attempt.started_at,
                actor=f"worker:{worker}",
                words=f"sent it: {line.label.lower()}",
                said=line.value,
            )
        for reading in Reading.objects.filter(execution=execution)[:_MOST]:
            value = evidence.reading_line(reading).value
            yield Note(
                at=reading.begun_at, actor="system:reading", words="read the provider", said=value
            )
        for event in ProviderEvent.objects.filter(execution=execution)[:_MOST]:
            yield Note(
                at=event.received_at,
                actor="provider:event",
                words=f"announced {event.type}",
                said=event.id,
            )
