"""What is known beyond a row: what it is about, what was read, what comes, who dealt with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.admin.changes import Version
from audit.erasure.fields import is_erased
from audit.errors import SignatureError
from audit.signing import tokens
from executors import registry
from executors.enums import EventType
from executors.errors import UnknownActionError
from executors.models import Execution, Finding, ProviderEvent, Reading
from executors.services.due import next_reading
from executors.services.reconciling import quiet_from

#: How many readings and events the page shows; the rest is in their own lists.
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """``title`` says in words what is carried out; ``payment`` is what it is done to, if known."""

    title: str
    payment: str
    times: int
    readings: Sequence[Reading]
    events: Sequence[ProviderEvent]
    #: When an UNKNOWN is read next by itself; None when it was never read, which is at once.
    next_at: datetime | None
    #: The first of the two listings that prove absence cannot begin earlier.
    absent_from: datetime

    @property
    def last(self) -> Reading | None:
        """Return the newest reading."""
        return self.readings[0] if self.readings else None


def of(execution: Execution) -> Outlook:
    """Gather it. The token is only shown here, so it is not verified."""
    payload = _payload(execution)
    times = execution.readings.count()
    readings = list(execution.readings.order_by("-begun_at", "-pk")[:_SHOWN])
    return Outlook(
        title=_title(execution, payload),
        payment=str(payload.get("payment_intent") or payload.get("charge") or ""),
        times=times,
        readings=readings,
        events=list(execution.provider_events.order_by("-received_at", "pk")[:_SHOWN]),
        next_at=next_reading(readings[0].begun_at, times) if readings else None,
        absent_from=quiet_from(execution),
    )


def dealt_with(row: Execution | Finding) -> Version | None:
    """Return the version that says who dealt with it, when and why; None while nobody has."""
    if row.dealt_with_at is None:
        return None
    events = (EventType.EXECUTION_DEAL_WITH, EventType.FINDING_DEAL_WITH)
    told = row.history.filter(event__in=events).latest("number")
    return Version(row=told, changes=(), is_first=False)


def _payload(execution: Execution) -> Mapping[str, Any]:
    if is_erased(execution.token):
        return {}
    try:
        payload = tokens.unverified_claims(execution.token).get("payload")
    except SignatureError:
        return {}
    return payload if isinstance(payload, dict) else {}


def _title(execution: Execution, payload: Mapping[str, Any]) -> str:
    try:
        executor = registry.get(execution.action, execution.action_version)
        return executor.describe(payload, None).title
    except (UnknownActionError, KeyError, TypeError):
        return execution.action
