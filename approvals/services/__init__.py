"""The verbs of this floor: the only writers of status, each one transaction.

Each takes its locks, reads the database's clock once, checks, changes exactly one row under
guard, and records history, or raises and changes nothing.
"""

from approvals.services.agents import (
    IssuedKey,
    create_agent,
    issue_key,
    resume_agent,
    revoke_key,
    suspend_agent,
)
from approvals.services.deciding import approve, reject
from approvals.services.ending import expire_due, withdraw
from approvals.services.facts import refresh_facts, without_facts
from approvals.services.filters import delete_filter, save_filter
from approvals.services.refusals import record_refusal
from approvals.services.submission import Submission, Submitted, submit

__all__ = [
    "IssuedKey",
    "Submission",
    "Submitted",
    "approve",
    "create_agent",
    "delete_filter",
    "expire_due",
    "issue_key",
    "record_refusal",
    "refresh_facts",
    "reject",
    "resume_agent",
    "revoke_key",
    "save_filter",
    "submit",
    "suspend_agent",
    "withdraw",
    "without_facts",
]
