"""What a verification of the record asks of decisions: token, payloads, votes, what was queued.

Values of the record are in no finding.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from approvals.enums import Outcome
from approvals.models import Decision, PayloadVersion, Review
from audit.canonical import digest_of, sha256_hex
from audit.erasure import told
from audit.errors import CanonicalError, SignatureError
from audit.history import stamp
from audit.log.verification.findings import Finding
from audit.signing import keys, tokens
from executors.models import Execution

_APPROVING = (Outcome.APPROVED, Outcome.APPROVED_WITH_MODIFICATIONS)


@dataclass(kw_only=True)
class _Around:
    """What belongs to a decision in other tables."""

    versions: dict[int, PayloadVersion] = field(default_factory=dict)
    votes: dict[tuple[int, int], Review] = field(default_factory=dict)
    execution: Execution | None = None


def check_decisions(rows: Sequence[Decision]) -> Iterator[Finding]:
    """Check each decision's token, and against it: the decision, the payloads, the votes.

    A key that was revoked after the decision was good then.

    Raises:
        KeyFileError: the file of trusted keys cannot be read.
    """
    trusted = keys.load_trusted_keys(settings.COUNTERSIGN_TRUSTED_KEYS_FILE)
    around = _around(rows)
    lost = told.lost_tokens(rows, lambda row: row.request_id)
    for row in rows:
        if row.pk in lost:
            if not lost[row.pk]:
                yield _finding(row, "Its token is gone, and no erasure says so.")
            continue
        for sentence in _check(row, keys.as_of(trusted, row.decided_at), around[row.request_id]):
            yield _finding(row, sentence)


def check_decided(rows: Sequence[Execution]) -> Iterator[Finding]:
    """Check that there is a decision behind each execution."""
    known = Decision.objects.filter(pk__in=[row.jti for row in rows])
    decided = set(known.values_list("pk", flat=True))
    for row in rows:
        if row.jti not in decided:
            yield _finding(row, "There is no decision behind it.")


def _around(rows: Sequence[Decision]) -> dict[str, _Around]:
    around = {row.request_id: _Around() for row in rows}
    for version in PayloadVersion.objects.filter(request__in=around):
        around[version.request_id].versions[version.number] = version
    for vote in Review.objects.filter(request__in=around):
        around[vote.request_id].votes[vote.reviewer_id, vote.payload_version] = vote
    executions = {row.jti: row for row in Execution.objects.filter(jti__in=[r.pk for r in rows])}
    for row in rows:
        around[row.request_id].execution = executions.get(row.pk)
    return around


def _check(
    decision: Decision, trusted: Mapping[str, keys.TrustedKey], around: _Around
) -> Iterator[str]:
    try:
        claims = tokens.verify(decision.token, trusted, use=keys.DECISION)
    except SignatureError as error:
        yield f"Its token was not good when it was decided: {error.code}."
        return
    try:
        different = _differences(decision, claims)
        if different:
            yield f"Its columns and its token differ: {', '.join(different)}."
        yield from _check_payloads(claims, around)
        for reviewer in claims["reviewers"]:
            if not _is_vote(reviewer, around):
                yield "A vote is not the one that its token tells of."
        yield from _check_queued(decision, around)
    except (KeyError, TypeError, CanonicalError):
        yield "Its token lacks a claim, or one is malformed."


def _differences(decision: Decision, claims: Mapping[str, Any]) -> list[str]:
    """Return the columns that say something else than the token does."""
    said = {
        "id": claims["jti"],
        "request_id": claims["sub"],
        "outcome": claims["outcome"],
        "payload_version": claims["payload_version"],
        "token_sha256": tokens.token_digest(decision.token),
        "kid": tokens.key_id_of(decision.token),
    }
    names = [name for name, value in said.items() if getattr(decision, name) != value]
    if int(decision.decided_at.timestamp()) != claims["iat"]:
        names.append("decided_at")
    if decision.expires_at.timestamp() != claims["exp"]:
        names.append("expires_at")
    return names


def _check_payloads(claims: Mapping[str, Any], around: _Around) -> Iterator[str]:
    """Payload versions have no history of their own: what was signed about them says it all."""
    signed = [
        (1, claims["original_payload_sha256"]),
        (claims["payload_version"], claims["payload_sha256"]),
    ]
    for number, digest in dict.fromkeys(signed):
        version = around.versions.get(number)
        if version is None or not version.sha256 == digest == digest_of(version.payload):
            yield f"Payload version {number} is not the one whose digest was signed."
    if "payload" in claims and digest_of(claims["payload"]) != claims["payload_sha256"]:
        yield "Its token's payload is not the one whose digest was signed."


def _is_vote(reviewer: Mapping[str, Any], around: _Around) -> bool:
    vote = around.votes.get((reviewer["id"], reviewer["payload_version"]))
    if vote is None:
        return False
    told = {
        "verdict": vote.verdict,
        "at": stamp(vote.reviewed_at),
        "viewed_sha256": vote.viewed_sha256,
        "method": vote.method,
        "reason_sha256": sha256_hex(vote.reason.encode()),
    }
    saw = sha256_hex(vote.view.encode())
    return told.items() <= dict(reviewer).items() and saw == vote.viewed_sha256


def _check_queued(decision: Decision, around: _Around) -> Iterator[str]:
    execution = around.execution
    if decision.outcome not in _APPROVING:
        if execution is not None:
            yield "It approves nothing, and something was queued to be carried out for it."
    elif execution is None:
        yield "Nothing was queued to be carried out for it."
    elif execution.token != decision.token:
        yield "Its execution has another token."


def _finding(row: Decision | Execution, sentence: str) -> Finding:
    return Finding(kind="token", table=row._meta.db_table, row=row.pk, sentence=sentence)
