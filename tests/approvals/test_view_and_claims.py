"""The view and the claims, whole: nothing that is decided on or signed goes missing."""

import json
from typing import Any

import pytest
from django.conf import settings

from approvals import rules, viewing
from approvals.errors import InvalidPatchError, NotDecidableError
from approvals.models import ApprovalRequest
from approvals.permissions import SEED
from approvals.services import IssuedKey, revoke_key
from audit.canonical import digest_of
from audit.history import stamp
from executors.verification import TOKEN_VERSION
from tests.approvals.services.outcomes import claims_of

pytestmark = pytest.mark.django_db


def rules_in_force(view: viewing.ReviewView) -> dict[str, str]:
    return {"policy_version": "catalogue-1", "rules_sha256": rules.rules_digest(view.executor)}


def test_the_view_is_everything_that_a_person_sees(
    pending_request: ApprovalRequest, agent_key: IssuedKey, refund_payload: dict[str, Any]
) -> None:
    request, snapshot = pending_request, pending_request.facts.get()

    view = viewing.current_view(request)

    assert json.loads(view.text) == {
        "request": {
            "id": request.pk,
            "agent": "billing-agent",
            "agent_key": agent_key.key.prefix,
            "service": "support",
            "action": "stripe.refund",
            "priority": "medium",
            "submitted_at": stamp(request.submitted_at),
            "expires_at": stamp(request.expires_at),
        },
        "payload": refund_payload,
        "payload_version": 1,
        "facts": {
            "number": 1,
            "read_at": stamp(snapshot.read_at),
            "provider": snapshot.provider,
            "material": snapshot.material,
            "display": snapshot.display,
            "problem": "",
        },
        "claims": {
            "reason": "Parcel never arrived.",
            "context": {"ticket": "T-1002"},
            "metadata": {},
            "trace_id": "",
        },
        "rules": rules_in_force(view),
        "action_version": 1,
    }


def test_a_view_without_facts_says_so(
    submit: Any, refund_payload: dict[str, Any], settings: Any
) -> None:
    settings.COUNTERSIGN_READ_FACTS = False

    view = viewing.current_view(submit(refund_payload))

    assert json.loads(view.text)["facts"] is None
    assert (view.snapshot, view.facts, view.share, view.problem) == (None, None, None, "")
    assert list(view.fact_lines) == []


def test_the_claims_are_the_table_of_version_one(
    pending_request: ApprovalRequest, agent_key: IssuedKey, approve: Any
) -> None:
    view, snapshot = viewing.current_view(pending_request), pending_request.facts.get()

    decision = approve(pending_request)

    claims = claims_of(decision)
    del claims["reviewers"]
    second = int(decision.decided_at.timestamp())
    assert claims == {
        "iss": settings.COUNTERSIGN_ISSUER,
        "aud": settings.COUNTERSIGN_AUDIENCE,
        "jti": decision.pk,
        "sub": pending_request.pk,
        "iat": second,
        "nbf": second,
        "exp": second + settings.COUNTERSIGN_EXECUTE_WITHIN,
        "ver": TOKEN_VERSION,
        "agent": {
            "id": agent_key.key.agent_id,
            "name": "billing-agent",
            "key": agent_key.key.pk,
        },
        "service": "support",
        "action": "stripe.refund",
        "action_version": 1,
        "provider": snapshot.provider,
        "outcome": "APPROVED",
        "payload": view.payload,
        "payload_version": 1,
        "payload_sha256": digest_of(view.payload),
        "original_payload_sha256": digest_of(view.payload),
        "facts": {"read_at": stamp(snapshot.read_at), "material": snapshot.material},
        "decided_by": "people",
        **rules_in_force(view),
    }


def test_what_a_compromised_key_asked_for_is_refused_by_code(
    pending_request: ApprovalRequest, approve: Any, agent_key: IssuedKey
) -> None:
    revoke_key(key_id=agent_key.key.pk, reason="Lost.", compromised=True, by=SEED)

    with pytest.raises(NotDecidableError) as caught:
        approve(pending_request)

    assert caught.value.code == "key_compromised"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"currency": "eur"}, "/currency"),
        ({"unknown": 1}, "/unknown"),
        ({"amount": 9501}, "/amount"),
    ],
)
def test_a_patch_is_refused_by_field(
    pending_request: ApprovalRequest, approve: Any, change: dict[str, Any], field: str
) -> None:
    payload = viewing.current_view(pending_request).payload

    with pytest.raises(InvalidPatchError) as caught:
        approve(pending_request, patch=payload | change)

    assert caught.value.field == field


def test_what_the_facts_forbid_is_refused_by_code_and_field(
    submit: Any, refund_payload: dict[str, Any], approve: Any
) -> None:
    with pytest.raises(InvalidPatchError) as caught:
        approve(submit(refund_payload | {"amount": 12001}))

    assert caught.value.code not in ("", InvalidPatchError.code)
    assert caught.value.field == "/amount"
