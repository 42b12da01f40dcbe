"""The check that executions ask of this floor: may what these people decided still run?"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from approvals.enums import AgentStatus
from approvals.models import AgentKey, User
from executors.checks import Stop


def check(claims: Mapping[str, Any], at: datetime) -> Stop | None:
    """Object when a reviewer lost the right to review, or the agent or its key was stopped.

    A check can only stop. A reviewer who may no longer review holds the execution, so that a
    named person looks at it; nothing here is final.
    """
    return _about_agent(claims) or _about_reviewers(claims)


def _about_agent(claims: Mapping[str, Any]) -> Stop | None:
    key = AgentKey.objects.select_related("agent").filter(pk=claims["agent"]["key"]).first()
    if key is None:
        return Stop(code="agent_unknown", message="The agent key of this decision does not exist.")
    if key.compromised:
        return Stop(code="key_compromised", message=f"The key {key.prefix} was compromised.")
    if key.agent.status != AgentStatus.ACTIVE:
        return Stop(code="agent_suspended", message=f"The agent {key.agent.name} is suspended.")
    return None


def _about_reviewers(claims: Mapping[str, Any]) -> Stop | None:
    ids = [reviewer["id"] for reviewer in claims["reviewers"]]
    people = {user.pk: user for user in User.objects.filter(pk__in=ids)}
    for reviewer in claims["reviewers"]:
        user = people.get(reviewer["id"])
        if user is None or not user.is_reviewer():
            return Stop(
                code="reviewer_not_entitled",
                message=f"{reviewer['username']} may no longer decide requests.",
            )
    return None
