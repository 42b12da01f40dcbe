"""How stored things look on the wire. ``schemas`` says the same as JSON Schema."""

from typing import Any

from django.conf import settings

from approvals.api import cursors
from approvals.api.queries import StoredDecision, StoredPage, StoredRequest
from approvals.models import Decision, Review
from audit.history import stamp
from executors.base import Executor
from executors.bounds import bounds_of
from executors.models import Execution


def request_object(stored: StoredRequest) -> dict[str, Any]:
    """Return an approval request as the agent sees it."""
    request = stored.request
    return {
        "id": request.pk,
        "object": "approval_request",
        "status": stored.status.value,
        "service": request.service,
        "action": request.action,
        "priority": request.priority,
        "reason": request.reason,
        "payload": stored.payload,
        "payload_sha256": stored.payload_sha256,
        "created_at": stamp(request.submitted_at),
        "expires_at": stamp(request.expires_at),
        "review_url": review_url(request.pk),
        "decision": _decision_summary(stored.decision),
        "execution": _execution(stored.execution),
        "supersedes": request.supersedes_id,
        "superseded_by": stored.superseded_by,
    }


def request_list(page: StoredPage) -> dict[str, Any]:
    """Return a page of requests with the cursor of the next one."""
    last = page.requests[-1].request.pk if page.has_more else None
    return {
        "object": "list",
        "data": [request_object(stored) for stored in page.requests],
        "has_more": page.has_more,
        "next_cursor": None if last is None else cursors.encode(last),
    }


def decision_object(stored: StoredDecision) -> dict[str, Any]:
    """Return a whole decision, with its token and the people who made it."""
    decision = stored.decision
    return {
        "id": decision.pk,
        "object": "decision",
        "request_id": decision.request_id,
        "outcome": decision.outcome,
        "reason": decision.reason,
        "payload": stored.payload,
        "patched_payload": stored.patched,
        "payload_version": decision.payload_version,
        "diff": decision.diff,
        "reviewers": [_reviewer(review) for review in stored.reviews],
        "decided_at": stamp(decision.decided_at),
        "expires_at": stamp(decision.expires_at),
        "token": decision.token,
    }


def action_object(executor: Executor) -> dict[str, Any]:
    """Return an action as the catalogue lists it."""
    bounds = bounds_of(executor)
    return {
        "object": "action",
        "name": executor.name,
        "version": executor.version,
        "aliases": list(executor.aliases),
        "summary": executor.summary,
        "schema": dict(executor.schema),
        "editable": list(executor.editable),
        "reversibility": str(executor.reversibility),
        "expires_in": {
            "least": bounds.expires_in_least,
            "most": bounds.expires_in_most,
            "default": bounds.expires_in_default,
        },
        "execute_within": bounds.execute_within,
    }


def review_url(request_id: str) -> str:
    """Return the address of the page on which a person decides."""
    base = settings.COUNTERSIGN_BASE_URL
    return f"{base}/admin/approvals/approvalrequest/{request_id}/decide/"


def _decision_summary(decision: Decision | None) -> dict[str, Any] | None:
    if decision is None:
        return None
    return {
        "id": decision.pk,
        "outcome": decision.outcome,
        "reason": decision.reason,
        "decided_at": stamp(decision.decided_at),
        "expires_at": stamp(decision.expires_at),
        "payload_version": decision.payload_version,
    }


def _execution(execution: Execution | None) -> dict[str, Any] | None:
    if execution is None:
        return None
    error = {"code": execution.error_code, "message": execution.error_message}
    return {
        "status": execution.status,
        "provider_status": execution.provider_status or None,
        "receipt": execution.receipt,
        "error": error if execution.error_code else None,
    }


def _reviewer(review: Review) -> dict[str, Any]:
    return {
        "username": review.reviewer.get_username(),
        "verdict": review.verdict,
        "payload_version": review.payload_version,
        "reviewed_at": stamp(review.reviewed_at),
    }
