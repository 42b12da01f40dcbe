"""The claims of a decision token, version 1. Append-only; a new table is a new version."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from approvals import rules
from approvals.enums import Outcome
from approvals.models import ApprovalRequest, PayloadVersion, Review
from approvals.viewing import ReviewView
from audit.canonical import sha256_hex
from audit.history import stamp
from executors.bounds import bounds_of
from executors.verification import TOKEN_VERSION


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """Everything that a token says about one decision."""

    decision_id: str
    request: ApprovalRequest
    outcome: Outcome
    view: ReviewView
    version: PayloadVersion
    reviews: Sequence[Review]
    at: datetime

    @property
    def expires_at(self) -> datetime:
        """Until when it may be carried out: whole seconds, as the token states it."""
        seconds = bounds_of(self.view.executor).execute_within
        return self.at.replace(microsecond=0) + timedelta(seconds=seconds)


def build(judgement: Judgement) -> dict[str, Any]:
    """Return the claims; times are whole seconds since 1970 in UTC, rounded down."""
    request, view = judgement.request, judgement.view
    decided_at = int(judgement.at.timestamp())
    claims: dict[str, Any] = {
        "iss": settings.COUNTERSIGN_ISSUER,
        "aud": settings.COUNTERSIGN_AUDIENCE,
        "jti": judgement.decision_id,
        "sub": request.id,
        "iat": decided_at,
        "nbf": decided_at,
        "exp": int(judgement.expires_at.timestamp()),
        "ver": TOKEN_VERSION,
        "agent": {
            "id": request.agent_id,
            "name": request.agent.name,
            "key": request.agent_key_id,
        },
        "service": request.service,
        "action": request.action,
        "action_version": request.action_version,
        "outcome": judgement.outcome.value,
        "payload_version": judgement.version.number,
        "payload_sha256": judgement.version.sha256,
        "original_payload_sha256": _original_digest(judgement),
        "decided_by": "people",
        "reviewers": [_reviewer(review) for review in judgement.reviews],
        "policy_version": rules.POLICY_VERSION,
        "rules_sha256": rules.rules_digest(view.executor),
    }
    return claims | _about_facts(view) | _authorised(judgement)


def _authorised(judgement: Judgement) -> dict[str, Any]:
    """A rejection authorises nothing, so it carries no payload."""
    if judgement.outcome == Outcome.REJECTED:
        return {}
    return {"payload": judgement.version.payload}


def _about_facts(view: ReviewView) -> dict[str, Any]:
    if view.snapshot is None:
        return {}
    return {
        "provider": view.snapshot.provider,
        "facts": {"read_at": stamp(view.snapshot.read_at), "material": view.snapshot.material},
    }


def _reviewer(review: Review) -> dict[str, Any]:
    return {
        "id": review.reviewer_id,
        "username": review.reviewer.get_username(),
        "verdict": review.verdict,
        "at": stamp(review.reviewed_at),
        "payload_version": review.payload_version,
        "viewed_sha256": review.viewed_sha256,
        "method": review.method,
        "reason_sha256": sha256_hex(review.reason.encode()),
    }


def _original_digest(judgement: Judgement) -> str:
    if judgement.version.number == 1:
        return judgement.version.sha256
    return str(judgement.request.payload_versions.get(number=1).sha256)
