"""Executions and holds: shown, and steered on pages with a reason."""

from audit import words
from executors.admin import executions, findings, holds, records
from executors.enums import EventType

words.register(EventType)

__all__ = ["executions", "findings", "holds", "records"]
