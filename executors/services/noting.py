"""Writing down that the provider announced something, and ringing for whoever reads it."""

from django.db import transaction

from audit import clock
from executors import bell
from executors.base import Announcement
from executors.models import Execution, ProviderEvent


def note_event(*, announcement: Announcement) -> bool:
    """Keep an event and ring, after the commit, for a reading of the execution that it is about.

    The execution is found by the provider's reference, else by the decision that the object's
    metadata name: an event may come before the answer to our own request. Nothing of what the
    event says is written down; the worker reads the object. A lost bell loses nothing, for an
    execution whose event is newer than its last reading is due to be read.

    Returns:
        False when this event was known already: providers deliver more than once.
    """
    with transaction.atomic():
        event, is_new = ProviderEvent.objects.get_or_create(
            pk=announcement.id,
            defaults={
                "type": announcement.type,
                "execution": _execution_of(announcement),
                "received_at": clock.now(),
            },
        )
        if is_new and event.execution_id is not None:
            execution_id = event.execution_id
            transaction.on_commit(lambda: bell.ring_to_reconcile(execution_id))
        return is_new


def _execution_of(announcement: Announcement) -> Execution | None:
    found = None
    if announcement.reference:
        by_reference = Execution.objects.filter(provider_reference=announcement.reference)
        found = by_reference.order_by("pk").first()
    if found is None and announcement.decision:
        found = Execution.objects.filter(jti=announcement.decision).first()
    return found
