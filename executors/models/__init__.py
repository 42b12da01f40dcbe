"""Executions and what belongs to them. ``executors.services`` alone writes here."""

from executors.models.executions import Attempt, Execution, Intent
from executors.models.holds import Hold
from executors.models.provider import Finding, ProviderEvent, Reading, Scan

__all__ = [
    "Attempt",
    "Execution",
    "Finding",
    "Hold",
    "Intent",
    "ProviderEvent",
    "Reading",
    "Scan",
]
