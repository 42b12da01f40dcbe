"""What was turned away leaves a trace."""

from django.db import transaction

from approvals.models import AgentKey, Refusal
from audit import actors, clock


def record_refusal(*, key_id: str, code: str, message: str, body_sha256: str) -> Refusal:
    """Keep that an agent with a valid key was turned away. ``body_sha256`` may be empty."""
    key = AgentKey.objects.select_related("agent").get(pk=key_id)
    with transaction.atomic():
        return Refusal.objects.create(
            code=code,
            message=message,
            body_sha256=body_sha256,
            agent=key.agent,
            actor=str(actors.agent(key.agent.name)),
            refused_at=clock.now(),
        )


def record_refused_person(*, request_id: str, actor: actors.Actor, code: str, message: str) -> None:
    """Keep that a person tried what they must not (deciding for their own agent)."""
    with transaction.atomic():
        Refusal.objects.create(
            code=code,
            message=message,
            actor=str(actor),
            subject=request_id,
            refused_at=clock.now(),
        )
