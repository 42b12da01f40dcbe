"""What a reviewer sees, as bytes: the view that a decision is bound to.

The view is the RFC 8785 form of ``{request, payload, payload_version, facts, claims, rules,
action_version}``. The page is made from it, the reviewer sends back its SHA-256, and the decision
token carries that digest: what was decided is what was seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from approvals import rules
from approvals.errors import FactsMissingError, StaleViewError
from approvals.models import ApprovalRequest, FactsSnapshot, PayloadVersion
from audit.canonical import canonical_text, sha256_hex
from audit.history import stamp
from executors import registry
from executors.base import Description, Executor, FactLine, Facts, Provider, Share


@dataclass(frozen=True, kw_only=True)
class ReviewView:
    """One request as a person sees it now. ``text`` are the bytes, ``digest`` their SHA-256."""

    text: str
    digest: str
    executor: Executor
    payload: dict[str, Any]
    payload_version: int
    snapshot: FactsSnapshot | None
    facts: Facts | None
    description: Description
    fact_lines: Sequence[FactLine]
    share: Share | None
    problem: str

    def is_fresh(self, at: datetime) -> bool:
        """Tell whether the facts are there and young enough to approve on."""
        try:
            rules.check_facts_fresh(self.snapshot, at)
        except (FactsMissingError, StaleViewError):
            return False
        return True


def current_view(request: ApprovalRequest) -> ReviewView:
    """Return the view of a request with its newest payload version and facts."""
    executor = registry.get(request.action, request.action_version)
    version = request.payload_versions.get(number=request.payload_version)
    snapshot = request.facts.order_by("-number").first()
    facts = None if snapshot is None else facts_of(snapshot)
    text = canonical_text(_content(request, version, snapshot, executor))
    return ReviewView(
        text=text,
        digest=sha256_hex(text.encode()),
        executor=executor,
        payload=version.payload,
        payload_version=version.number,
        snapshot=snapshot,
        facts=facts,
        description=executor.describe(version.payload, facts),
        fact_lines=[] if facts is None else executor.fact_lines(facts),
        share=None if facts is None else executor.share(version.payload, facts),
        problem="" if snapshot is None else snapshot.problem,
    )


def facts_of(snapshot: FactsSnapshot) -> Facts:
    """Return a stored snapshot as the executors' facts."""
    return Facts(
        provider=Provider(**snapshot.provider),
        material=snapshot.material,
        display=snapshot.display,
    )


def _content(
    request: ApprovalRequest,
    version: PayloadVersion,
    snapshot: FactsSnapshot | None,
    executor: Executor,
) -> dict[str, Any]:
    return {
        "request": _request_content(request),
        "payload": version.payload,
        "payload_version": version.number,
        "facts": None if snapshot is None else _facts_content(snapshot),
        "claims": {
            "reason": request.reason,
            "context": request.context,
            "metadata": request.metadata,
            "trace_id": request.trace_id,
        },
        "rules": {
            "policy_version": rules.POLICY_VERSION,
            "rules_sha256": rules.rules_digest(executor),
        },
        "action_version": request.action_version,
    }


def _request_content(request: ApprovalRequest) -> dict[str, Any]:
    return {
        "id": request.id,
        "agent": request.agent.name,
        "agent_key": request.agent_key.prefix,
        "service": request.service,
        "action": request.action,
        "priority": request.priority,
        "submitted_at": stamp(request.submitted_at),
        "expires_at": stamp(request.expires_at),
    }


def _facts_content(snapshot: FactsSnapshot) -> dict[str, Any]:
    return {
        "number": snapshot.number,
        "read_at": stamp(snapshot.read_at),
        "provider": snapshot.provider,
        "material": snapshot.material,
        "display": snapshot.display,
        "problem": snapshot.problem,
    }
