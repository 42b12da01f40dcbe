"""Who asks, what they ask, who decides. ``approvals.services`` alone writes here."""

from approvals.models.agents import Agent, AgentKey, AgentKeyUse
from approvals.models.decisions import Decision, Review
from approvals.models.filters import SavedFilter
from approvals.models.people import User
from approvals.models.requests import (
    ApprovalRequest,
    FactsSnapshot,
    PayloadVersion,
    Refusal,
    shown_as,
)

__all__ = [
    "Agent",
    "AgentKey",
    "AgentKeyUse",
    "ApprovalRequest",
    "Decision",
    "FactsSnapshot",
    "PayloadVersion",
    "Refusal",
    "Review",
    "SavedFilter",
    "User",
    "shown_as",
]
