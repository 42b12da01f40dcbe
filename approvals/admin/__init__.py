"""The reviewer's admin: shows everything, and decides on one page with a reason."""

from approvals.admin import agent_keys, agents, people, records, requests, site
from approvals.enums import EventType
from audit import words

words.register(EventType)

__all__ = ["agent_keys", "agents", "people", "records", "requests", "site"]
