"""Periodic work of this floor. It may run twice, late or not at all without harm."""

from typing import Any

from celery import shared_task

from audit.log.verification import services


@shared_task
def verify_record(**_: Any) -> None:
    """Verify the record, if a day has passed since the last time."""
    services.verify_if_due()
