"""``services.approve`` and ``services.reject``: a person decides."""

import pytest
from django.conf import settings as django_settings

from approvals import services, viewing
from approvals.enums import Outcome, RequestStatus
from approvals.errors import (
    FactsMissingError,
    InvalidInputError,
    InvalidPatchError,
    NotDecidableError,
    RequestNotFoundError,
    SigningUnavailableError,
    StaleViewError,
)
from approvals.models import Decision, Review
from audit.canonical import digest_of, sha256_hex
from audit.signing import keys
from executors.models import Execution
from executors.stripe.refunds import StripeRefund
from tests.approvals.services.outcomes import claims_of, nothing_was_decided

pytestmark = pytest.mark.django_db


def test_approving_closes_the_request_and_queues_one_execution(pending_request, approve):
    decision = approve(pending_request)

    pending_request.refresh_from_db()
    assert pending_request.status == RequestStatus.APPROVED
    assert pending_request.decided_at == decision.decided_at
    execution = Execution.objects.get()
    assert (execution.jti, execution.subject) == (decision.pk, pending_request.pk)
    assert execution.token == decision.token


def test_the_token_says_what_was_decided_and_who_saw_what(pending_request, approve, reviewer):
    view = viewing.current_view(pending_request)

    claims = claims_of(approve(pending_request, reason="Checked."))

    assert claims["outcome"] == "APPROVED"
    assert claims["payload"] == view.payload
    assert claims["payload_sha256"] == claims["original_payload_sha256"] == digest_of(view.payload)
    assert claims["sub"] == pending_request.pk
    assert claims["exp"] - claims["iat"] == django_settings.COUNTERSIGN_EXECUTE_WITHIN
    assert claims["facts"]["material"]["captured"] == 12000
    (person,) = claims["reviewers"]
    assert (person["id"], person["username"]) == (reviewer.pk, "reviewer")
    assert person["viewed_sha256"] == view.digest
    assert person["reason_sha256"] == sha256_hex(b"Checked.")
    assert person["method"] == "session"


def test_an_action_may_have_to_be_carried_out_sooner(pending_request, approve, monkeypatch):
    monkeypatch.setattr(StripeRefund, "execute_within", 120)

    claims = claims_of(approve(pending_request))

    assert claims["exp"] - claims["iat"] == 120


def test_what_the_reviewer_saw_is_kept_to_the_byte(pending_request, approve):
    view = viewing.current_view(pending_request)

    approve(pending_request)

    review = Review.objects.get()
    assert review.view == view.text
    assert sha256_hex(review.view.encode()) == review.viewed_sha256 == view.digest


def test_every_change_is_in_the_record_with_person_and_reason(pending_request, approve):
    decision = approve(pending_request, reason="Checked.")

    rows = [
        *pending_request.history.all(),
        *decision.history.all(),
        *Review.history.all(),
        *Execution.history.all(),
    ]
    numbers = sorted(row.number for row in rows)
    assert numbers == [1, 2, 3, 4, 5]
    made = {row.event: row for row in rows}
    assert set(made) == {
        "request:submit",
        "review:vote",
        "decision:sign",
        "execution:queue",
        "request:approve",
    }
    assert made["request:approve"].actor == "person:reviewer"
    assert made["request:approve"].history_change_reason == "Checked."
    assert made["request:approve"].history_user.username == "reviewer"


def test_rejecting_is_signed_too_and_runs_nothing(pending_request, reject):
    decision = reject(pending_request)

    claims = claims_of(decision)
    pending_request.refresh_from_db()
    assert pending_request.status == RequestStatus.REJECTED
    assert claims["outcome"] == "REJECTED"
    assert "payload" not in claims
    assert not Execution.objects.exists()


def test_a_patch_becomes_version_two_with_its_diff(pending_request, approve):
    payload = viewing.current_view(pending_request).payload

    decision = approve(pending_request, patch=payload | {"amount": 5000})

    pending_request.refresh_from_db()
    claims = claims_of(decision)
    assert decision.outcome == Outcome.APPROVED_WITH_MODIFICATIONS
    assert decision.diff == [{"op": "replace", "path": "/amount", "value": 5000}]
    assert pending_request.payload_version == claims["payload_version"] == 2
    assert claims["payload"]["amount"] == 5000
    assert claims["original_payload_sha256"] == digest_of(payload)
    assert pending_request.payload_versions.get(number=2).made_by == "person:reviewer"


def test_a_patch_equal_to_the_original_is_a_plain_approval(pending_request, approve):
    payload = viewing.current_view(pending_request).payload

    decision = approve(pending_request, patch=dict(reversed(payload.items())))

    assert decision.outcome == Outcome.APPROVED
    assert pending_request.payload_versions.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 9501},
        {"amount": 0},
        {"amount": "50"},
        {"currency": "eur"},
        {"payment_intent": "pi_another0000000000"},
        {"unknown": 1},
        {"metadata": {"ticket": "T-2"}},
    ],
)
def test_a_patch_that_goes_too_far_is_refused(pending_request, approve, change):
    payload = viewing.current_view(pending_request).payload

    with pytest.raises(InvalidPatchError):
        approve(pending_request, patch=payload | change)

    assert nothing_was_decided(pending_request)


def test_a_patch_must_be_an_object(pending_request, approve):
    with pytest.raises(InvalidPatchError):
        approve(pending_request, patch=[])

    assert nothing_was_decided(pending_request)


def test_the_digest_of_another_view_is_refused(pending_request, approve):
    with pytest.raises(StaleViewError):
        approve(pending_request, digest="0" * 64)

    assert nothing_was_decided(pending_request)


def test_facts_read_anew_make_the_view_stale(pending_request, approve):
    seen = viewing.current_view(pending_request).digest
    services.refresh_facts(request_id=pending_request.pk)

    with pytest.raises(StaleViewError):
        approve(pending_request, digest=seen)


def test_old_facts_are_not_approved_on_and_may_be_rejected(pending_request, approve, reject, later):
    later(seconds=601)

    with pytest.raises(StaleViewError) as caught:
        approve(pending_request)
    assert caught.value.code == "stale_facts"
    assert nothing_was_decided(pending_request)
    assert reject(pending_request).outcome == Outcome.REJECTED


def test_without_facts_nobody_approves(submit, refund_payload, approve, reject, settings):
    settings.COUNTERSIGN_READ_FACTS = False
    request = submit(refund_payload)

    with pytest.raises(FactsMissingError):
        approve(request)
    assert nothing_was_decided(request)
    assert "provider" not in claims_of(reject(request))


def test_more_than_is_left_is_approved_only_when_lowered(submit, refund_payload, approve):
    request = submit(refund_payload | {"amount": 12001})

    with pytest.raises(InvalidPatchError):
        approve(request)
    decision = approve(request, patch=refund_payload | {"amount": 12000})

    assert decision.outcome == Outcome.APPROVED_WITH_MODIFICATIONS


@pytest.mark.parametrize("reason", ["", "   ", "x" * 2001, "a\x00b", "lone \ud800"])
def test_a_decision_needs_a_reason_that_can_be_kept(pending_request, approve, reason):
    with pytest.raises(InvalidInputError):
        approve(pending_request, reason=reason)

    assert nothing_was_decided(pending_request)


def test_a_second_decision_is_refused(pending_request, approve, reject):
    approve(pending_request)

    for decide in (approve, reject):
        with pytest.raises(NotDecidableError):
            decide(pending_request)
    assert Decision.objects.count() == 1


def test_past_the_deadline_nothing_is_decided_even_without_the_sweep(
    pending_request, approve, later
):
    later(seconds=3601)

    with pytest.raises(NotDecidableError):
        approve(pending_request)

    assert nothing_was_decided(pending_request)


def test_a_request_that_does_not_exist_is_not_found(pending_request, approve):
    with pytest.raises(RequestNotFoundError):
        approve(pending_request, request_id="req_none")


def test_without_a_signing_key_nothing_is_decided(pending_request, approve, settings, tmp_path):
    settings.COUNTERSIGN_SIGNING_KEY_FILE = tmp_path / "missing.pem"

    with pytest.raises(SigningUnavailableError):
        approve(pending_request)

    assert nothing_was_decided(pending_request)


def test_old_tokens_go_on_verifying_after_a_rotation(own_keys, submit, refund_payload, approve):
    from audit import clock
    from audit.signing import rotation

    before = approve(submit(refund_payload))
    rotation.rotate(
        private_path=django_settings.COUNTERSIGN_SIGNING_KEY_FILE,
        trusted_path=django_settings.COUNTERSIGN_TRUSTED_KEYS_FILE,
        use=keys.DECISION,
        at=clock.now(),
    )
    after = approve(submit(refund_payload | {"amount": 100}))

    assert before.kid != after.kid
    assert claims_of(before)["jti"] == before.pk
    assert claims_of(after)["jti"] == after.pk
