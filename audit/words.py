"""Events, actors and spans of time in words. The floors above register words for their events."""

from datetime import UTC, datetime, timedelta

from django.db.models import TextChoices

_words: dict[str, str] = {}

_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def register(events: type[TextChoices]) -> None:
    """Add the words of one floor's events."""
    _words.update({str(value): str(label) for value, label in events.choices})


def of_event(event: str) -> str:
    """Return the words of an event, such as ``approved the request``; else the event itself."""
    return _words.get(event, event)


def of_actor(actor: str) -> tuple[str, str]:
    """Return kind and name of an actor that was written as ``kind:name``."""
    kind, _, name = actor.partition(":")
    return kind, name or kind


def of_span(span: timedelta) -> str:
    """Return a span of time as one rounded-down unit: ``20 seconds``, ``4 minutes``, ``2 days``."""
    seconds = max(int(abs(span).total_seconds()), 0)
    for size, unit in _UNITS:
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "0 seconds"


def instant(at: datetime) -> str:
    """Return an instant as a person reads it, in UTC."""
    return at.astimezone(UTC).strftime("%d %b %Y %H:%M:%S UTC")
