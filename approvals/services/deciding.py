"""A person decides: one transaction for review, decision, token, execution and history."""

from dataclasses import dataclass, replace
from typing import Any

import jsonpatch
from django.db import transaction

from approvals import claims, permissions, reserving, rules, viewing
from approvals.enums import EventType, Method, Outcome, RequestStatus, Verdict
from approvals.errors import (
    InvalidInputError,
    SelfApprovalError,
    StaleViewError,
)
from approvals.models import (
    ApprovalRequest,
    Decision,
    PayloadVersion,
    Review,
    User,
)
from approvals.models.decisions import new_decision_id
from approvals.services import signing
from approvals.services.locks import lock_for_decision
from approvals.services.moves import move
from approvals.services.refusals import record_refused_person
from approvals.viewing import ReviewView
from audit import actors, clock, failpoints
from audit.canonical import canonical_bytes, digest_of
from audit.errors import CanonicalError
from audit.history import Fact, record
from audit.signing import tokens
from executors import services as executions

MOST_REASON = 2000


@dataclass(frozen=True, kw_only=True)
class Vote:
    """What a person sends: on which request, how, why, and the digest of what they saw.

    ``patch`` is the whole changed payload, or None.
    """

    request_id: str
    reviewer_id: int
    verdict: Verdict
    reason: str
    digest: str
    method: Method
    patch: dict[str, Any] | None = None


def approve(
    *,
    request_id: str,
    reviewer_id: int,
    reason: str,
    digest: str,
    patch: dict[str, Any] | None = None,
    method: Method = Method.SESSION,
) -> Decision:
    """Approve a request, with ``patch`` as the whole changed payload if there is one.

    Raises:
        NotPermittedError, SelfApprovalError: this person may not.
        NotDecidableError: the request is no longer open, or its agent was stopped.
        StaleViewError, FactsMissingError: look again first.
        InvalidPatchError: the change, or the facts, do not allow it.
        InvalidInputError: no reason, or one that cannot be stored.
        SigningUnavailableError: no token that verifies can be made; nothing was decided.
    """
    return _cast(
        Vote(
            request_id=request_id,
            reviewer_id=reviewer_id,
            verdict=Verdict.APPROVE,
            reason=_checked_reason(reason),
            digest=digest,
            method=method,
            patch=patch,
        )
    )


def reject(
    *,
    request_id: str,
    reviewer_id: int,
    reason: str,
    digest: str,
    method: Method = Method.SESSION,
) -> Decision:
    """Reject a request. That needs no facts: it moves nothing.

    Raises:
        NotPermittedError, SelfApprovalError: this person may not.
        NotDecidableError: the request is no longer open.
        StaleViewError: the request changed since the person looked.
        InvalidInputError: no reason, or one that cannot be stored.
        SigningUnavailableError: no token that verifies can be made; nothing was decided.
    """
    return _cast(
        Vote(
            request_id=request_id,
            reviewer_id=reviewer_id,
            verdict=Verdict.REJECT,
            reason=_checked_reason(reason),
            digest=digest,
            method=method,
        )
    )


def _cast(vote: Vote) -> Decision:
    try:
        with transaction.atomic():
            return _decide(vote)
    except SelfApprovalError as error:
        # After the rollback, so that the trace of the attempt stays.
        record_refused_person(
            request_id=vote.request_id,
            actor=actors.person(User.objects.get(pk=vote.reviewer_id)),
            code=error.code,
            message=error.message,
        )
        raise


def _decide(vote: Vote) -> Decision:
    request, reviewer = lock_for_decision(vote.request_id, vote.reviewer_id)
    at = clock.now()
    permissions.check_may_decide(request, reviewer, at)
    rules.check_pending(request, at)
    view = viewing.current_view(request)
    if vote.digest != view.digest:
        raise StaleViewError(
            "The request, its facts or the rules changed since you looked; look again."
        )
    fact = Fact(
        actor=actors.person(reviewer), event=EventType.REVIEW_VOTE, at=at, reason=vote.reason
    )
    version = _version(vote, request, view, fact)
    outcome = _outcome(vote, version)
    review = _store_review(vote, request, reviewer, view, version, fact)
    failpoints.reached("review:stored")
    judgement = claims.Judgement(
        decision_id=new_decision_id(),
        request=request,
        outcome=outcome,
        view=view,
        version=version,
        reviews=[review],
        at=at,
    )
    decision = _sign(judgement, review.reason, fact)
    _close(request, outcome, version, fact)
    failpoints.reached("decision:signed")
    return decision


def _version(vote: Vote, request: ApprovalRequest, view: ReviewView, fact: Fact) -> PayloadVersion:
    """Return the payload version that the vote is about; a patch makes the next one."""
    present: PayloadVersion = request.payload_versions.get(number=view.payload_version)
    if vote.verdict == Verdict.REJECT:
        return present
    rules.check_approvable(request, fact.at)
    snapshot = rules.check_facts_fresh(view.snapshot, fact.at)
    payload = _patched(vote, view)
    facts = viewing.facts_of(snapshot)
    rules.check_facts(view.executor, payload, facts)
    promised = reserving.promised(request, snapshot, fact.at)
    rules.check_left(view.executor, payload, facts, promised)
    if payload is view.payload:
        return present
    return PayloadVersion.objects.create(
        request=request,
        number=present.number + 1,
        payload=payload,
        sha256=digest_of(payload),
        made_by=str(fact.actor),
        made_at=fact.at,
    )


def _patched(vote: Vote, view: ReviewView) -> dict[str, Any]:
    """Return the authorised payload: a patch equal to the original is no patch."""
    if vote.patch is None:
        return view.payload
    rules.check_patch(view.executor, view.payload, vote.patch)
    if canonical_bytes(vote.patch) == canonical_bytes(view.payload):
        return view.payload
    return vote.patch


def _outcome(vote: Vote, version: PayloadVersion) -> Outcome:
    if vote.verdict == Verdict.REJECT:
        return Outcome.REJECTED
    return Outcome.APPROVED if version.number == 1 else Outcome.APPROVED_WITH_MODIFICATIONS


def _store_review(
    vote: Vote,
    request: ApprovalRequest,
    reviewer: User,
    view: ReviewView,
    version: PayloadVersion,
    fact: Fact,
) -> Review:
    review = Review(
        request=request,
        payload_version=version.number,
        reviewer=reviewer,
        verdict=vote.verdict,
        reason=vote.reason,
        view=view.text,
        viewed_sha256=view.digest,
        method=vote.method,
        reviewed_at=fact.at,
    )
    record(review, fact)
    return review


def _sign(judgement: claims.Judgement, reason: str, fact: Fact) -> Decision:
    """Sign and store the decision; what it authorises is queued in the same transaction."""
    content = claims.build(judgement)
    signed = signing.sign(content)
    decision = Decision(
        id=judgement.decision_id,
        request=judgement.request,
        outcome=judgement.outcome,
        reason=reason,
        payload_version=judgement.version.number,
        diff=_diff(judgement.request, judgement.version),
        token=signed.token,
        token_sha256=tokens.token_digest(signed.token),
        kid=signed.kid,
        decided_at=fact.at,
        expires_at=judgement.expires_at,
    )
    record(decision, replace(fact, event=EventType.DECISION_SIGN))
    if judgement.outcome != Outcome.REJECTED:
        executions.enqueue(token=signed.token, claims=content, actor=fact.actor, at=fact.at)
    return decision


def _close(request: ApprovalRequest, outcome: Outcome, version: PayloadVersion, fact: Fact) -> None:
    move(
        request,
        RequestStatus(outcome.value),
        actor=fact.actor,
        at=fact.at,
        reason=fact.reason,
        decided_at=fact.at,
        payload_version=version.number,
    )


def _diff(request: ApprovalRequest, version: PayloadVersion) -> list[dict[str, Any]]:
    """Return the JSON Patch (RFC 6902) from what was submitted to what is authorised."""
    if version.number == 1:
        return []
    original = request.payload_versions.get(number=1).payload
    patch: list[dict[str, Any]] = jsonpatch.make_patch(original, version.payload).patch
    return patch


def _checked_reason(reason: str) -> str:
    text = reason.strip()
    if not text:
        raise InvalidInputError("Give a reason; the agent and the auditor read it.", field="reason")
    if len(text) > MOST_REASON:
        raise InvalidInputError(f"Keep the reason under {MOST_REASON} characters.", field="reason")
    try:
        canonical_bytes(text)
    except CanonicalError as error:
        raise InvalidInputError(
            "The reason has characters that are none.", field="reason"
        ) from error
    if "\x00" in text:
        raise InvalidInputError("The reason has a NUL character.", field="reason")
    return text
