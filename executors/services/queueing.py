"""Putting a signed decision into the queue."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from audit import failpoints, history
from audit.actors import Actor
from audit.history import Fact
from executors import bell
from executors.enums import EventType, ExecutionStatus
from executors.models import Execution


def enqueue(*, token: str, claims: Mapping[str, Any], actor: Actor, at: datetime) -> Execution:
    """Write down that a decision is to be carried out, and ring after the commit.

    Runs in the transaction of the decision: either both exist or neither. ``jti`` is unique, so
    that a decision can never be queued twice.

    Raises:
        IntegrityError: this decision was queued before.
        UnattributedChangeError: there is no transaction.
    """
    execution = Execution(
        jti=claims["jti"],
        subject=claims["sub"],
        token=token,
        action=claims["action"],
        action_version=claims["action_version"],
        agent=claims["agent"]["id"],
        agent_key=claims["agent"]["key"],
        status=ExecutionStatus.QUEUED,
        queued_at=at,
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
    )
    history.record(execution, Fact(actor=actor, event=EventType.EXECUTION_QUEUE, at=at))
    ring_after_commit(execution.pk)
    return execution


def ring_after_commit(execution_id: str) -> None:
    """Ring once the present transaction is committed; nobody hears of what is rolled back."""
    transaction.on_commit(lambda: _ring(execution_id))


def _ring(execution_id: str) -> None:
    failpoints.reached("decision:committed")
    bell.ring(execution_id)
    failpoints.reached("decision:published")
