"""What this floor tells about a request: who asked, what the reviewer saw, who decided."""

import json
from collections.abc import Mapping
from typing import Any

from approvals.models import ApprovalRequest, Decision, PayloadVersion, Review
from audit.evidence.sealed import SaidRow, SealedRecord, SealedRow
from audit.evidence.sections import (
    Line,
    Section,
    Told,
    as_text,
    each_of_claims,
    each_of_row,
    fields_of,
    of_claims,
    of_row,
)
from audit.signing import tokens
from executors import registry
from executors.base import Facts, Provider
from executors.errors import UnknownActionError

_VIEW = ("fields", "view")
_ASKED = ("service", "action", "action_version", "priority", "submitted_at", "expires_at", "id")
_CLAIMED = ("reason", "context", "metadata", "trace_id")


def tell(record: SealedRecord) -> Told:
    """Return what the record says about a request; nothing about any other subject."""
    requests = record.of(table_of(ApprovalRequest))
    if not requests:
        return Told()
    reviews, decisions = record.of(table_of(Review)), record.of(table_of(Decision))
    claims: Mapping[str, Any] = {}
    token = ""
    if decisions:
        token = decisions[0].said["fields"]["token"]
        claims = tokens.unverified_claims(token)
    sections = [_in_short(requests, reviews, decisions)]
    sections += [_asked(requests), claimed(requests[0]), _payloads(record.subject, claims)]
    for review in reviews:
        sections += seen(review)
    sections += [_voted(review) for review in reviews]
    for decision in decisions:
        sections.append(decided(decision, claims))
        if decision.said["fields"]["diff"]:
            sections.append(changed(decision, claims))
    return Told(sections=sections, token=token)


def table_of(model: Any) -> str:
    """Return the name of a model's history table."""
    return str(model.history.model._meta.db_table)


def _in_short(
    requests: list[SealedRow], reviews: list[SealedRow], decisions: list[SealedRow]
) -> Section:
    first, last = requests[0], requests[-1]
    view = json.loads(reviews[-1].said["fields"]["view"]) if reviews else None
    return Section(
        title="In short",
        lines=[
            *([] if view is None else _in_words(view)),
            of_row("Asked by", first, "actor"),
            of_row("Asked at", first, "at"),
            *(of_row("Decided by", review, "actor") for review in reviews),
            *(of_row("Decided at", decision, "at") for decision in decisions),
            *(of_row("Because", decision, "fields", "reason") for decision in decisions),
            of_row("Status now", last, "fields", "status"),
        ],
    )


def _asked(requests: list[SealedRow]) -> Section:
    first = requests[0]
    return Section(
        title="Who asked",
        lines=[
            of_row("Asked by", first, "actor"),
            of_row("Recorded at", first, "at"),
            *fields_of(first, *_ASKED),
        ],
    )


def claimed(first: SaidRow) -> Section:
    """Return what the agent said, by the row of its request."""
    return Section(
        title="What the agent claimed",
        note="The agent's own words. Nobody has checked them.",
        lines=fields_of(first, *_CLAIMED),
    )


def _payloads(request_id: str, claims: Mapping[str, Any]) -> Section:
    versions = PayloadVersion.objects.filter(request_id=request_id).order_by("number")
    return Section(
        title="The payload, version by version",
        note="Version 1 is what was submitted; a later one is a reviewer's change.",
        lines=[_payload(version, claims) for version in versions],
    )


def _payload(version: PayloadVersion, claims: Mapping[str, Any]) -> Line:
    source = ""
    if claims and version.number == claims["payload_version"]:
        source = "digest in token: payload_sha256"
    elif claims and version.number == 1:
        source = "digest in token: original_payload_sha256"
    label = f"Version {version.number}, by {version.made_by}"
    return Line(label=label, value=as_text(version.payload), source=source)


def seen(review: SaidRow) -> list[Section]:
    """Return what one reviewer saw; the provider's facts apart from the agent's claims."""
    view = json.loads(review.said["fields"]["view"])
    who = review.said["actor"]
    sections = [
        Section(
            title=f"What {who} saw: the action",
            note="The page was made from these bytes, and the vote carries their digest.",
            lines=[
                *_in_words(view),
                *each_of_row(review, *_VIEW, "payload"),
                of_row("payload_version", review, *_VIEW, "payload_version"),
                of_row("rules", review, *_VIEW, "rules"),
                of_row("SHA-256 of all that was shown", review, "fields", "viewed_sha256"),
            ],
        )
    ]
    if view["facts"] is not None:
        sections.append(_facts_seen(review, who))
    sections.append(
        Section(
            title=f"What {who} saw: the agent's claims",
            note="The agent's own words. They stood apart from the facts, marked as its claims.",
            lines=each_of_row(review, *_VIEW, "claims"),
        )
    )
    return sections


def _facts_seen(review: SaidRow, who: str) -> Section:
    facts = (*_VIEW, "facts")
    return Section(
        title=f"What {who} saw: the provider's facts",
        note="As the provider gave them, read by this installation.",
        lines=[
            of_row("read_at", review, *facts, "read_at"),
            of_row("provider", review, *facts, "provider"),
            *each_of_row(review, *facts, "material"),
            *each_of_row(review, *facts, "display"),
            of_row("problem", review, *facts, "problem"),
        ],
    )


def _in_words(view: Mapping[str, Any]) -> list[Line]:
    """Return the sentence over the page; nothing for an action that is no longer offered."""
    try:
        executor = registry.get(view["request"]["action"], view["action_version"])
    except UnknownActionError:
        return []
    seen = view["facts"]
    facts = None
    if seen is not None:
        facts = Facts(
            provider=Provider(**seen["provider"]),
            material=seen["material"],
            display=seen["display"],
        )
    return [Line(label="In words", value=executor.describe(view["payload"], facts).title)]


def _voted(review: SealedRow) -> Section:
    names = ("verdict", "reason", "method", "payload_version", "reviewed_at", "viewed_sha256")
    return Section(
        title="Who decided",
        lines=[
            of_row("Vote of", review, "actor"),
            *fields_of(review, *names),
        ],
    )


def decided(decision: SaidRow, claims: Mapping[str, Any]) -> Section:
    """Return what was decided; ``claims`` are those of the token in the row."""
    names = ("outcome", "reason", "decided_at", "expires_at", "token_sha256", "kid")
    authorised = each_of_claims(claims, "payload") if "payload" in claims else []
    return Section(
        title="The signed decision",
        note="What may be carried out, until when, and only once. The token is decision.jwt.",
        lines=[
            *fields_of(decision, *names),
            of_claims("Decision", claims, "jti"),
            of_claims("Agent", claims, "agent"),
            of_claims("Reviewers", claims, "reviewers"),
            *authorised,
        ],
    )


def changed(decision: SaidRow, claims: Mapping[str, Any]) -> Section:
    """Return what the reviewer changed."""
    return Section(
        title="What the reviewer changed",
        note="JSON Patch (RFC 6902) from version 1 to what was authorised.",
        lines=[
            of_row("Difference", decision, "fields", "diff"),
            of_claims("SHA-256 of version 1", claims, "original_payload_sha256"),
            of_claims("SHA-256 of what was authorised", claims, "payload_sha256"),
        ],
    )
