"""What the API reads, in few queries, and only the asking agent's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet

from approvals import rules
from approvals.api import text
from approvals.api.bodies import Page
from approvals.api.errors import NotDecidedError
from approvals.enums import RequestStatus
from approvals.errors import RequestNotFoundError
from approvals.models import ApprovalRequest, Decision, PayloadVersion, Review, shown_as
from approvals.services import Submitted
from audit import clock
from audit.canonical import digest_of
from audit.statements import Query
from executors.models import Execution


@dataclass(frozen=True, kw_only=True)
class StoredRequest:
    """A request with everything that is shown of it."""

    request: ApprovalRequest
    status: RequestStatus
    payload: dict[str, Any]
    payload_sha256: str
    decision: Decision | None = None
    execution: Execution | None = None
    superseded_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class StoredPage:
    """One page of requests, and whether more follow."""

    requests: Sequence[StoredRequest]
    has_more: bool


@dataclass(frozen=True, kw_only=True)
class StoredDecision:
    """A decision with its votes and its two payloads; ``patched`` is None when they are one."""

    decision: Decision
    payload: dict[str, Any]
    patched: dict[str, Any] | None
    reviews: Sequence[Review]


def get_request(*, agent_id: str, request_id: str) -> StoredRequest:
    """Return one of the agent's requests as it is now.

    Raises:
        RequestNotFoundError: there is none, or it is another agent's.
    """
    check_id(request_id)
    version = _SUBMITTED.get(agent_id=agent_id, request_id=request_id)
    if version is None:
        raise RequestNotFoundError(f"There is no request {request_id}.")
    return _stored([version])[0]


def list_requests(*, agent_id: str, page: Page) -> StoredPage:
    """Return a page of the agent's requests, newest first."""
    versions = _submitted(agent_id).order_by("-request_id")
    if page.after is not None:
        versions = versions.filter(request_id__lt=page.after)
    if page.status is not None:
        versions = versions.filter(shown_as(page.status, clock.now(), through="request__"))
    found = list(versions[: page.limit + 1])
    return StoredPage(requests=_stored(found[: page.limit]), has_more=len(found) > page.limit)


def get_decision(*, agent_id: str, request_id: str) -> StoredDecision:
    """Return the decision on one of the agent's requests.

    Raises:
        RequestNotFoundError: there is no such request, or it is another agent's.
        NotDecidedError: nothing was decided.
    """
    check_id(request_id)
    requests = ApprovalRequest.objects.select_related("decision")
    request = requests.filter(pk=request_id, agent_id=agent_id).first()
    if request is None:
        raise RequestNotFoundError(f"There is no request {request_id}.")
    decision = _decision_of(request)
    if decision is None:
        raise NotDecidedError("Nobody has decided this request.")
    numbers = {1, decision.payload_version}
    versions = request.payload_versions.filter(number__in=numbers)
    payloads: dict[int, dict[str, Any]] = {row.number: row.payload for row in versions}
    reviews = request.reviews.select_related("reviewer").order_by("reviewed_at", "id")
    return StoredDecision(
        decision=decision,
        payload=payloads[1],
        patched=payloads[decision.payload_version] if decision.payload_version != 1 else None,
        reviews=list(reviews),
    )


def after_submitting(submitted: Submitted, payload: dict[str, Any]) -> StoredRequest:
    """Return what a submission led to; a new request is shown without reading it again."""
    request = submitted.request
    if submitted.replayed:
        return get_request(agent_id=request.agent_id, request_id=request.pk)
    return StoredRequest(
        request=request,
        status=RequestStatus(request.status),
        payload=payload,
        payload_sha256=digest_of(payload),
    )


def check_id(request_id: str) -> None:
    """Keep what cannot be an id away from the database: it may hold what no column can.

    Raises:
        RequestNotFoundError: there can be no request of this id.
    """
    if not text.matches(text.REQUEST_ID, request_id):
        raise RequestNotFoundError("There is no such request.")


def _submitted(agent_id: str) -> QuerySet[PayloadVersion]:
    """Return first payload versions, each with its request and decision in the same row."""
    return (
        PayloadVersion.objects.filter(request__agent_id=agent_id, number=1)
        .select_related("request", "request__decision")
        .defer("request__decision__token", "request__decision__diff")
        .annotate(successor_id=F("request__superseded_by__id"))
    )


_SUBMITTED = Query(lambda agent_id, request_id: _submitted(agent_id).filter(request_id=request_id))


def _stored(versions: Sequence[Any]) -> list[StoredRequest]:
    decisions = [_decision_of(row.request) for row in versions]
    ids = [decision.pk for decision in decisions if decision is not None]
    executions = Execution.objects.defer("token").filter(jti__in=ids) if ids else []
    by_decision = {execution.jti: execution for execution in executions}
    at = clock.now() if any(row.request.is_pending for row in versions) else None
    return [
        StoredRequest(
            request=row.request,
            status=_status(row.request, at),
            payload=row.payload,
            payload_sha256=row.sha256,
            decision=decision,
            execution=None if decision is None else by_decision.get(decision.pk),
            superseded_by=row.successor_id,
        )
        for row, decision in zip(versions, decisions, strict=True)
    ]


def _status(request: ApprovalRequest, at: datetime | None) -> RequestStatus:
    return RequestStatus(request.status) if at is None else rules.present_status(request, at)


def _decision_of(request: ApprovalRequest) -> Decision | None:
    """Return the decision that was read along with the request, if there is one."""
    return getattr(request, "decision", None)
