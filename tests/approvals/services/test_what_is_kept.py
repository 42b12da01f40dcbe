"""What the verbs keep of what they were told: every column, under the right name."""

from typing import Any

import pytest

from approvals import services, viewing
from approvals.errors import InvalidInputError, NotDecidableError, SelfApprovalError
from approvals.models import Agent, Refusal, Review
from approvals.permissions import SEED
from approvals.services import IssuedKey, Submission
from approvals.services import facts as reading
from audit.canonical import canonical_bytes, digest_of, sha256_hex
from audit.history import stamp
from audit.signing.tokens import token_digest
from executors import registry
from tests.approvals.services.outcomes import claims_of, nothing_was_decided
from tests.executors.scripted import ScriptedExecutor

pytestmark = pytest.mark.django_db

SAID = {
    "priority": "high",
    "reason": "Parcel lost.",
    "context": {"ticket": "T-1"},
    "metadata": {"run": "7"},
    "trace_id": "0af7651916cd43dd8448eb211c80319c",
}


def test_everything_that_the_agent_said(
    submit: Any, refund_payload: dict[str, Any], agent_key: IssuedKey
) -> None:
    request = submit(refund_payload, **SAID)

    request.refresh_from_db()
    assert {name: getattr(request, name) for name in SAID} == SAID
    assert (request.service, request.agent_key) == ("support", agent_key.key)
    version = request.payload_versions.get()
    assert (version.number, version.made_by) == (1, "agent:billing-agent")
    assert version.made_at == request.submitted_at
    assert (request.facts.get().number, request.facts.get().problem) == (1, "")


def test_an_action_that_moves_no_money_has_no_amount(
    agent: Agent, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = ScriptedExecutor()
    monkeypatch.setitem(registry._by_version, (executor.name, executor.version), executor)
    monkeypatch.setitem(registry._latest, executor.name, executor)
    issued = services.issue_key(
        agent_id=agent.pk,
        actions=[executor.name],
        owner_id=agent.owner_id,
        currencies=[],
        ceiling_minor=None,
        expires_at=None,
        by=SEED,
    )
    submission = Submission(service="support", action=executor.name, payload={})

    request = services.submit(
        key=issued.key, idempotency_key="one", submission=submission, body_sha256="0" * 64
    ).request

    assert (request.amount_minor, request.currency) == (None, "")


def test_a_replay_is_answered_without_asking_the_provider(
    agent_key: IssuedKey,
    provider: Any,
    refund_payload: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    submission = Submission(service="support", action="stripe.refund", payload=refund_payload)
    options: dict[str, Any] = {"idempotency_key": "one", "body_sha256": "0" * 64}
    first = services.submit(key=agent_key.key, submission=submission, **options)
    services.submit(key=agent_key.key, submission=submission, **options | {"idempotency_key": "2"})
    monkeypatch.setattr(reading, "read", lambda *_: pytest.fail("the provider was read"))

    again = services.submit(key=agent_key.key, submission=submission, **options)

    assert (again.replayed, again.request) == (True, first.request)


def test_facts_that_were_missing_become_the_first(
    submit: Any, refund_payload: dict[str, Any], settings: Any
) -> None:
    settings.COUNTERSIGN_READ_FACTS = False
    request = submit(refund_payload)
    settings.COUNTERSIGN_READ_FACTS = True

    snapshot = services.refresh_facts(request_id=request.pk)

    assert snapshot is not None
    assert (snapshot.number, snapshot.problem) == (1, "")


def test_a_patch_is_signed_with_its_own_digest_and_author(
    pending_request: Any, approve: Any, reviewer: Any
) -> None:
    payload = viewing.current_view(pending_request).payload | {"amount": 5000}

    decision = approve(pending_request, patch=payload)

    claims, version = claims_of(decision), pending_request.payload_versions.get(number=2)
    assert claims["payload_sha256"] == version.sha256 == digest_of(payload)
    assert claims["payload_sha256"] != claims["original_payload_sha256"]
    assert (version.made_by, version.made_at) == ("person:reviewer", decision.decided_at)
    assert (decision.payload_version, decision.request.pk) == (2, pending_request.pk)


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_the_vote_and_its_signature_say_the_same(
    pending_request: Any, verb: str, request: pytest.FixtureRequest
) -> None:
    decision = request.getfixturevalue(verb)(pending_request, reason=" Checked. ")

    review = Review.objects.get()
    assert (review.verdict, review.reason, review.method) == (verb.upper(), "Checked.", "session")
    assert (review.request_id, review.payload_version) == (pending_request.pk, 1)
    assert review.reviewed_at == decision.decided_at
    assert claims_of(decision)["reviewers"] == [
        {
            "id": review.reviewer_id,
            "username": "reviewer",
            "verdict": verb.upper(),
            "at": stamp(review.reviewed_at),
            "payload_version": 1,
            "viewed_sha256": review.viewed_sha256,
            "method": "session",
            "reason_sha256": sha256_hex(b"Checked."),
        }
    ]


def test_the_decision_keeps_its_token_key_and_deadline(pending_request: Any, approve: Any) -> None:
    decision = approve(pending_request, reason="Checked.")

    claims = claims_of(decision)
    assert (decision.reason, decision.diff) == ("Checked.", [])
    assert decision.token_sha256 == token_digest(decision.token)
    assert decision.expires_at.timestamp() == claims["exp"]
    assert int(decision.decided_at.timestamp()) == claims["iat"] == claims["nbf"]


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        (" ", "Give a reason"),
        ("x" * 2001, "under 2000"),
        ("lone \ud800", "characters that are none"),
        ("a\x00b", "NUL"),
    ],
)
def test_a_reason_that_cannot_be_kept_is_refused_by_field(
    pending_request: Any, approve: Any, reason: str, says: str
) -> None:
    with pytest.raises(InvalidInputError, match=says) as caught:
        approve(pending_request, reason=reason)

    assert caught.value.field == "reason"
    assert nothing_was_decided(pending_request)


def test_the_longest_reason_is_kept(pending_request: Any, approve: Any) -> None:
    assert approve(pending_request, reason=f" {'x' * 2000} ").reason == "x" * 2000


def test_a_refused_self_approval_says_what_was_said(
    pending_request: Any, approve: Any, agent_key: IssuedKey, reviewer: Any
) -> None:
    key = agent_key.key
    key.owner = reviewer
    key.save_without_historical_record()

    with pytest.raises(SelfApprovalError) as caught:
        approve(pending_request)

    refusal = Refusal.objects.get()
    assert (refusal.message, refusal.agent) == (caught.value.message, None)
    assert kept(refusal) == (pending_request.pk, "person:reviewer", caught.value.message)


def kept(refusal: Refusal) -> tuple[str, str, str]:
    """Return under what, by whom and why the record has a refusal."""
    row = refusal.history.get()
    assert row.event == "refusal:keep"
    return row.subject, row.actor, row.history_change_reason


def test_a_refused_agent_is_kept_with_code_body_and_sentence(
    agent_key: IssuedKey, other_agent_key: IssuedKey
) -> None:
    refusal = services.record_refusal(
        key_id=agent_key.key.pk, code="out_of_scope", message="No.", body_sha256="1" * 64
    )

    refusal.refresh_from_db()
    assert (refusal.code, refusal.message) == ("out_of_scope", "No.")
    assert (refusal.body_sha256, refusal.agent) == ("1" * 64, agent_key.key.agent)
    assert refusal.attempted_by == "agent:billing-agent"
    assert kept(refusal) == (agent_key.key.agent_id, "agent:billing-agent", "No.")


def test_the_view_holds_everything_that_is_decided_on(
    submit: Any, refund_payload: dict[str, Any]
) -> None:
    request = submit(refund_payload | {"amount": 12001}, **SAID)

    view = viewing.current_view(request)

    snapshot = request.facts.get()
    assert view.digest == sha256_hex(view.text.encode())
    assert (view.problem, view.facts) == (snapshot.problem, viewing.facts_of(snapshot))
    assert view.problem
    assert view.fact_lines
    assert view.share is not None
    for part in (refund_payload["payment_intent"], snapshot.problem, *SAID["context"].values()):
        assert canonical_bytes(part).decode() in view.text


def test_a_stopped_agents_request_is_refused_by_code(
    pending_request: Any, approve: Any, agent: Agent
) -> None:
    services.suspend_agent(agent_id=agent.pk, reason="Odd.", by=SEED)

    with pytest.raises(NotDecidableError) as caught:
        approve(pending_request)

    assert caught.value.code == "agent_suspended"
