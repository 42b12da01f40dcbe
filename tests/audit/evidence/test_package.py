"""Evidence files as they are made."""

import json
import re
import time

import pytest

from approvals.models import Review
from audit import verifier
from audit.errors import SignatureError
from audit.evidence import package
from audit.log import services as sealer
from audit.signing import keys, rotation, tokens
from audit.signing.keys import DECISION
from executors.models import Execution, Intent
from tests.audit.evidence.conftest import own_keys, revoke, wrong
from tests.audit.log.conftest import change, rotate  # noqa: F401
from tests.audit.log.verification.conftest import sql

pytestmark = pytest.mark.django_db


def document(bundle):
    return json.loads(verifier.unpack(bundle)["evidence.json"])


def lines(bundle, title):
    [section] = [one for one in document(bundle)["sections"] if one["title"] == title]
    return {line["label"]: (line["value"], line["source"]) for line in section["lines"]}


def test_a_file_proves_itself_under_the_keys_of_the_installation(bundle):
    report = verifier.verify(bundle, own_keys())

    assert (report.findings, report.code) == ([], verifier.PROVEN)


def test_it_is_made_in_less_than_two_seconds(make):
    began = time.monotonic()
    make()

    assert time.monotonic() - began < 2


def test_it_is_the_same_file_until_something_is_written_about_the_request(make, change):  # noqa: F811
    first = make()
    change(300)
    sealer.seal()

    assert make() == first


def test_a_changed_payload_is_shown_with_its_difference(patched):
    bundle = package.make(patched.pk)

    assert wrong(bundle) == []
    difference, source = lines(bundle, "What the reviewer changed")["Difference"]
    assert json.loads(difference) == [{"op": "replace", "path": "/amount", "value": 6000}]
    assert re.fullmatch(r"row \d+: fields/diff", source)
    versions = lines(bundle, "The payload, version by version")
    assert [source for _, source in versions.values()] == [
        "digest in token: original_payload_sha256",
        "digest in token: payload_sha256",
    ]


def test_a_rejection_is_proven_too(log_key, pending_request, reject):
    reject(pending_request)
    sealer.seal()

    bundle = package.make(pending_request.pk)

    assert wrong(bundle) == []
    assert lines(bundle, "The signed decision")["Outcome"][0] == "REJECTED"


def test_a_request_that_nobody_decided_has_no_decision(log_key, pending_request):
    sealer.seal()

    bundle = package.make(pending_request.pk)

    assert wrong(bundle) == []
    assert "decision.jwt" not in verifier.unpack(bundle)


def test_an_approval_that_has_not_run_says_that_nothing_was_sent(
    log_key, pending_request, approve, stripe_client
):
    approve(pending_request)
    sealer.seal()

    bundle = package.make(pending_request.pk)

    assert wrong(bundle) == []
    assert "Nothing was sent." in verifier.unpack(bundle)["index.html"].decode()


def test_what_was_sent_is_proven_by_the_row_that_was_sealed_before(bundle, decided):
    sent = lines(bundle, "What was sent")
    intent = Intent.objects.get(execution__subject=decided.pk)

    assert sent["Body"][0] == intent.body
    assert sent["Body"][1].startswith("digest in row ")
    assert sent["Method and path"][0] == "POST /v1/refunds"


def test_a_body_that_was_changed_afterwards_is_shown_without_a_proof(decided):
    sql("UPDATE executors_intent SET body = 'amount=1'")

    assert lines(package.make(decided.pk), "What was sent")["Body"] == ("amount=1", "")


def test_what_the_provider_answered_is_the_sealed_receipt(bundle, decided):
    answered = lines(bundle, "What the provider answered")
    execution = Execution.objects.get(subject=decided.pk)

    assert answered["reference"][0] == execution.provider_reference
    assert re.fullmatch(r"row \d+: fields/receipt/reference", answered["reference"][1])
    assert "Try 1" in lines(bundle, "Each try, each reading")


def test_facts_and_claims_stand_apart(bundle):
    facts = lines(bundle, "What person:reviewer saw: the provider's facts")
    claims = lines(bundle, "What person:reviewer saw: the agent's claims")

    assert facts["captured"][0] == "12000"
    assert claims["reason"][0] == "Parcel never arrived."
    assert "reason" not in facts


def test_the_page_runs_nothing_and_loads_nothing(log_key, submit, refund_payload):
    hostile = "<script>alert(1)</script> <img src=http://evil/> \u202egnp.exe \u0430pple \r\n & '\""
    request = submit(refund_payload, reason=hostile, context={"a/b~c": "<b>\u200b</b>"})
    sealer.seal()

    bundle = package.make(request.pk)

    page = verifier.unpack(bundle)["index.html"].decode()
    assert wrong(bundle) == []
    assert "<script" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert "U+202E" in page
    assert re.findall(r'(?:src|href|action)="', page) == []


def test_the_page_says_where_trust_comes_from(bundle):
    page = verifier.unpack(bundle)["index.html"].decode()

    assert "The verifier in this file is a convenience." in page


def test_an_action_that_is_no_longer_offered_is_shown_without_words(decided, monkeypatch):
    from executors import registry

    monkeypatch.setattr(registry, "_by_version", {})

    bundle = package.make(decided.pk)

    assert wrong(bundle) == []
    assert "In words" not in lines(bundle, "What person:reviewer saw: the action")


def test_a_checkpoint_under_a_revoked_key_is_passed_over(decided, settings, change):  # noqa: F811
    first = keys.load_signing_key(settings.COUNTERSIGN_LOG_KEY_FILE).kid
    rotate(settings)
    change()
    sealer.seal()
    revoke(settings, first)

    report = verifier.verify(package.make(decided.pk), own_keys())

    assert (report.findings, report.code) == ([], verifier.PROVEN)
    assert first not in report.signers


def test_a_decision_under_an_earlier_key_names_both_keys(decided, settings, tmp_path, later):
    settings.COUNTERSIGN_SIGNING_KEY_FILE = tmp_path / "signing.pem"
    rotation.rotate(
        private_path=settings.COUNTERSIGN_SIGNING_KEY_FILE,
        trusted_path=settings.COUNTERSIGN_TRUSTED_KEYS_FILE,
        use=DECISION,
        at=package.clock.now(),
    )

    report = verifier.verify(package.make(decided.pk), own_keys())

    assert report.findings == []
    assert report.code == verifier.NOT_CONFIRMED, "the earlier key was not named"
    assert sorted(report.signers.values()) == ["decision", "decision", "log"]


def test_a_manifest_is_never_taken_for_a_decision(bundle, settings):
    manifest = verifier.unpack(bundle)["manifest.jws"].decode()
    trusted = keys.load_trusted_keys(settings.COUNTERSIGN_TRUSTED_KEYS_FILE)

    with pytest.raises(SignatureError, match="header is not that of a decision"):
        tokens.verify(manifest, trusted, use=DECISION)


def test_the_view_of_every_vote_is_whole(bundle, decided):
    view = Review.objects.get(request=decided).view
    shown = lines(bundle, "What person:reviewer saw: the action")

    assert json.loads(view)["payload"]["amount"] == int(shown["amount"][0])
