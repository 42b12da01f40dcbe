"""What was turned away leaves a trace, which is sealed like everything else."""

from django.db import transaction

from approvals.enums import EventType
from approvals.models import AgentKey, Refusal
from audit import actors, clock
from audit.history import Fact, record


def record_refusal(*, key_id: str, code: str, message: str, body_sha256: str) -> Refusal:
    """Keep that an agent with a valid key was turned away. ``body_sha256`` may be empty."""
    key = AgentKey.objects.select_related("agent").get(pk=key_id)
    refusal = Refusal(code=code, message=message, body_sha256=body_sha256, agent=key.agent)
    return _keep(refusal, actors.agent(key.agent.name))


def record_refused_person(*, request_id: str, actor: actors.Actor, code: str, message: str) -> None:
    """Keep that a person tried what they must not (deciding for their own agent)."""
    _keep(Refusal(code=code, message=message, about=request_id), actor)


def _keep(refusal: Refusal, actor: actors.Actor) -> Refusal:
    with transaction.atomic():
        at = clock.now()
        refusal.attempted_by = str(actor)
        refusal.refused_at = at
        reason = refusal.message
        record(refusal, Fact(actor=actor, event=EventType.REFUSAL_KEEP, at=at, reason=reason))
    return refusal
