"""Upstairs, where requests are made and decided, by processes that may die of it."""

import itertools
from dataclasses import dataclass
from typing import Any

from approvals import services, viewing
from approvals.models import AgentKey, ApprovalRequest, Decision, Review
from approvals.services import Submission
from audit.canonical import digest_of
from executors.models import Execution
from tests.crash.children import Child
from tests.crash.stage import Stage

_numbers = itertools.count(1)


@dataclass(kw_only=True)
class Office:
    """One agent and one reviewer, upstairs of a stage."""

    stage: Stage
    key: AgentKey
    reviewer_id: int

    def submit(self, **changes: Any) -> ApprovalRequest:
        """Let the agent ask for a refund of a new payment."""
        return self.submission(**changes)()

    def submission(self, **changes: Any) -> "Submitting":
        """A submission that can be made, and made again."""
        payload = {"payment_intent": self.stage.pay(), "amount": 9500, "currency": "usd"} | changes
        return Submitting(key=self.key, payload=payload, number=next(_numbers))

    def approve(self, request: ApprovalRequest) -> Decision:
        """Let the reviewer approve what the page shows now."""
        return services.approve(
            request_id=request.pk,
            reviewer_id=self.reviewer_id,
            reason="Checked with the courier.",
            digest=viewing.current_view(request).digest,
        )

    def approving(self, request: ApprovalRequest, **fate: Any) -> Child:
        """Let the reviewer approve in a web process of its own."""
        return Child(lambda: self.approve(request), **fate)

    def executions(self, request: ApprovalRequest) -> list[Execution]:
        """What was queued because of a request: one execution, or none."""
        return list(Execution.objects.filter(subject=request.pk))


@dataclass(frozen=True, kw_only=True)
class Submitting:
    """One submission under its idempotency key."""

    key: AgentKey
    payload: dict[str, Any]
    number: int

    def __call__(self) -> ApprovalRequest:
        """Make it; the same again finds the same request."""
        return services.submit(
            key=self.key,
            idempotency_key=f"crash-{self.number}",
            submission=Submission(service="support", action="stripe.refund", payload=self.payload),
            body_sha256=digest_of(self.payload),
        ).request


def is_untouched(request: ApprovalRequest) -> bool:
    """Whether nothing of a decision is stored: no vote, no token, no execution, no history."""
    events = request.history.values_list("event", flat=True)
    return (
        not Review.objects.filter(request=request).exists()
        and not Decision.objects.filter(request=request).exists()
        and not Execution.objects.filter(subject=request.pk).exists()
        and list(events) == ["request:submit"]
    )
