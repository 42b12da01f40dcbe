"""What this floor tells the auditor's desk about a request: in words, and beside the record."""

import json
from collections.abc import Iterator
from typing import Any

from approvals import evidence
from approvals.enums import EventType, Outcome, RequestStatus, Verdict
from approvals.models import (
    ApprovalRequest,
    Decision,
    FactsSnapshot,
    PayloadVersion,
    Refusal,
    Review,
)
from audit.admin import changes
from audit.canonical import canonical_bytes
from audit.desk import telling
from audit.desk.telling import Note, Tell, Telling
from audit.erasure.fields import is_erased
from audit.evidence.sealed import SaidRow
from audit.signing import tokens
from audit.visible import ERASED
from executors.money import format_money

#: An attacker with many tries must not make the page too long to open.
_MOST_REFUSALS = 100


def connect() -> None:
    """Register what this floor tells."""
    tells: dict[Any, Tell] = {ApprovalRequest: _request, Review: _review, Decision: _decision}
    telling.register(tells=tells, notes=_notes)


def _request(row: SaidRow) -> Telling:
    fields = row.said["fields"]
    if row.said["event"] != EventType.REQUEST_SUBMIT:
        return Telling(words=f"status: {RequestStatus(fields['status']).label}")
    money = ""
    if fields["amount_minor"] is not None:
        money = f", {format_money(fields['amount_minor'], fields['currency'])}"
    blocked = f"; a rule blocked it: {fields['blocked_code']}" if fields["blocked_code"] else ""
    return Telling(
        words=f"{fields['action']}{money}, for the service {fields['service']}, with the agent "
        f"key {fields['agent_key_id']}{blocked}",
        sections=[evidence.claimed(row)],
    )


def _review(row: SaidRow) -> Telling:
    fields = row.said["fields"]
    verdict = Verdict(fields["verdict"]).label.lower()
    return Telling(
        words=f"to {verdict}, on payload version {fields['payload_version']}, known by "
        f"{fields['method']}",
        sections=evidence.seen(row),
    )


def _decision(row: SaidRow) -> Telling:
    fields = row.said["fields"]
    claims = tokens.unverified_claims(fields["token"])
    changed = [evidence.changed(row, claims)] if fields["diff"] else []
    return Telling(
        words=f"{Outcome(fields['outcome']).label.lower()}, payload version "
        f"{fields['payload_version']}, to be carried out until {fields['expires_at']}",
        sections=[evidence.decided(row, claims), *changed],
    )


def _notes(subject: str) -> Iterator[Note]:
    yield from _payloads(subject)
    for snapshot in FactsSnapshot.objects.filter(request_id=subject).order_by("number"):
        problem = f"; it forbids the action: {snapshot.problem}" if snapshot.problem else ""
        yield Note(
            at=snapshot.read_at,
            actor=f"provider:{snapshot.provider.get('kind', 'unnamed')}",
            words=f"gave the facts, reading {snapshot.number}{problem}",
            said=ERASED if is_erased(snapshot.material) else "",
            changes=_as_new((snapshot.material or {}) | (snapshot.display or {})),
        )
    for refusal in Refusal.objects.filter(about=subject).order_by("id")[:_MOST_REFUSALS]:
        yield Note(
            at=refusal.refused_at,
            actor=refusal.attempted_by,
            words=f"was turned away: {refusal.code}",
            said=ERASED if is_erased(refusal.message) else refusal.message,
        )


def _payloads(subject: str) -> Iterator[Note]:
    before: Any = {}
    for version in PayloadVersion.objects.filter(request_id=subject).order_by("number"):
        is_gone = is_erased(version.payload)
        payload = {} if is_gone else json.loads(canonical_bytes(version.payload))
        yield Note(
            at=version.made_at,
            actor=version.made_by,
            words=f"made payload version {version.number}, SHA-256 {version.sha256}",
            said=ERASED if is_gone else "",
            changes=[] if is_gone else list(changes.differences(before, payload)),
        )
        before = payload


def _as_new(values: dict[str, Any]) -> list[changes.Change]:
    return list(changes.differences({}, values))
