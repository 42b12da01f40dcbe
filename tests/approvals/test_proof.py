"""What a verification of the record finds about decisions: tokens, payloads, votes, the queue."""

import json
from typing import Any

import pytest
from django.conf import settings as django_settings

from approvals import proof, services
from approvals.models import Decision, PayloadVersion, Refusal, Review
from audit.log import services as log
from audit.log.verification import pages
from audit.log.verification.findings import Tally
from audit.log.verification.run import verify
from audit.models import Leaf
from audit.signing import keys, tokens
from executors.models import Execution
from tests.audit.log.conftest import log_key  # noqa: F401 - the stage of the log

pytestmark = pytest.mark.django_db

DIFFER = "Its columns and its token differ: "
MALFORMED = "Its token lacks a claim, or one is malformed."


@pytest.fixture
def decision(pending_request, approve) -> Decision:
    return approve(pending_request)


@pytest.fixture
def patched(pending_request, approve, refund_payload) -> Decision:
    return approve(pending_request, patch=refund_payload | {"amount": 5000})


def told(decision: Decision) -> list[str]:
    decision.refresh_from_db()
    return [finding.sentence for finding in proof.check_decisions([decision])]


def change(row: Any, **columns: Any) -> None:
    type(row).objects.filter(pk=row.pk).update(**columns)


def sign_anew(decision: Decision, **changes: Any) -> None:
    """Sign something else, with the key, and write it over the decision and its execution."""
    claims = tokens.unverified_claims(decision.token) | changes
    claims = {name: value for name, value in claims.items() if value != "gone"}
    key = keys.load_signing_key(django_settings.COUNTERSIGN_SIGNING_KEY_FILE)
    token = tokens.sign(claims, key)
    change(decision, token=token, token_sha256=tokens.token_digest(token))
    Execution.objects.filter(jti=decision.pk).update(token=token)


def test_honest_decisions_have_no_findings(submit, refund_payload, approve, reject, make_payment):
    def asked() -> Any:
        return submit(refund_payload | {"payment_intent": make_payment().id})

    approve(asked())
    reject(asked())
    request = asked()
    approve(request, patch=request.payload_versions.get().payload | {"amount": 5000})

    assert list(proof.check_decisions(list(Decision.objects.all()))) == []
    assert list(proof.check_decided(list(Execution.objects.all()))) == []


@pytest.mark.usefixtures("log_key")
def test_a_verification_of_the_record_looks_at_every_token(decision, monkeypatch):
    log.seal()
    monkeypatch.setattr(pages, "PAGE", 1)
    tally = Tally()
    assert list(verify(tally)) == []
    assert tally.tokens == 2, "the decision's and the execution's"

    PayloadVersion.objects.update(payload={"amount": 1})
    Execution.objects.update(action="x", jti="dec_x")

    kinds = sorted(finding.text.split(":")[0] for finding in verify(Tally()))
    assert kinds == [
        "current executors_execution",
        *["token approvals_decision"] * 2,
        *["token executors_execution"] * 2,
    ]


@pytest.mark.usefixtures("log_key")
def test_a_token_is_within_the_sealed_bytes_of_its_history_row(decision):
    assert log.seal().refused == []

    for model in (Decision, Execution):
        row = model.history.order_by("pk").first()
        assert json.loads(row.canonical)["fields"]["token"] == decision.token


@pytest.mark.usefixtures("log_key")
def test_a_refusal_is_a_leaf(agent_key):
    refusal = services.record_refusal(
        key_id=agent_key.key.pk, code="out_of_scope", message="No.", body_sha256="1" * 64
    )
    log.seal()

    row = refusal.history.get()
    assert Leaf.objects.filter(table=row._meta.db_table, row=row.pk).exists()
    assert list(verify(Tally())) == []

    Refusal.objects.update(message="Yes.")
    [finding] = verify(Tally())
    assert finding.text.startswith(f"current approvals_refusal:{refusal.pk} ")


@pytest.mark.parametrize(
    ("column", "value"),
    [("payload_version", 2), ("token_sha256", "0" * 64), ("kid", "another"), ("outcome", "X")],
)
def test_a_column_that_says_something_else_is_named(decision, column, value):
    change(decision, **{column: value})

    assert f"{DIFFER}{column}." in told(decision)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"jti": "dec_x"}, "id"),
        ({"sub": "req_x"}, "request_id"),
        ({"iat": 1_600_000_000}, "decided_at"),
        ({"exp": 1}, "expires_at"),
    ],
)
def test_a_token_that_says_something_else_is_named(decision, changes, names):
    sign_anew(decision, **changes)

    assert told(decision) == [f"{DIFFER}{names}."]


def test_a_token_that_is_none_is_found(decision):
    change(decision, token="a.b.c")

    assert told(decision) == ["Its token was not good when it was decided: token_invalid."]


@pytest.mark.parametrize("number", [1, 2])
def test_a_changed_payload_is_found_whichever_version_it_is(patched, number):
    version = PayloadVersion.objects.get(number=number)
    finding = [f"Payload version {number} is not the one whose digest was signed."]
    honest = version.payload

    change(version, payload=honest | {"amount": 1})
    assert told(patched) == finding

    change(version, payload=honest, sha256="0" * 64)
    assert told(patched) == finding

    version.delete()
    assert told(patched) == finding


def test_a_payload_that_is_not_the_one_of_its_digest_is_found(decision):
    sign_anew(decision, payload={"amount": 1})

    assert told(decision) == ["Its token's payload is not the one whose digest was signed."]


@pytest.mark.parametrize(
    "changes",
    [{"verdict": "REJECT"}, {"reason": "x"}, {"view": "{}"}, {"viewed_sha256": "0" * 64}],
)
def test_a_vote_that_says_something_else_is_found(decision, changes):
    Review.objects.update(**changes)

    assert told(decision) == ["A vote is not the one that its token tells of."]


def test_a_vote_that_is_gone_is_found(decision):
    Review.objects.all()._raw_delete(Review.objects.db)

    assert told(decision) == ["A vote is not the one that its token tells of."]


@pytest.mark.parametrize(
    "changes",
    [{"payload_version": "gone"}, {"reviewers": None}, {"payload": [], "payload_sha256": "gone"}],
)
def test_a_token_without_its_claims_is_found(decision, changes):
    sign_anew(decision, **changes)

    assert MALFORMED in told(decision)


def test_what_is_queued_must_be_what_was_decided(decision):
    Execution.objects.update(token="a.b.c")
    assert told(decision) == ["Its execution has another token."]

    Execution.objects.update(jti="dec_x")
    assert told(decision) == ["Nothing was queued to be carried out for it."]
    [finding] = proof.check_decided(list(Execution.objects.all()))
    assert finding.sentence == "There is no decision behind it."


def test_nothing_may_be_queued_for_a_rejection(decision):
    sign_anew(decision, outcome="REJECTED")
    change(decision, outcome="REJECTED")

    assert told(decision) == [
        "It approves nothing, and something was queued to be carried out for it."
    ]
