"""What counts after a key was compromised: what a copy covers that was outside before."""

import shutil
from datetime import timedelta

import pytest

from audit import clock
from audit.anchoring import services as anchoring
from audit.anchoring.file import FileTarget
from audit.log import checkpoints, services
from audit.log import keys as log_keys
from audit.log.verification import pages
from audit.log.verification.findings import Tally
from audit.log.verification.run import verify
from audit.models import Anchored, Checkpoint
from audit.signing import keys, rotation
from tests.audit.log.verification.conftest import kinds

pytestmark = pytest.mark.django_db


@pytest.fixture
def outside(tmp_path):
    """The file of an anchor."""
    return FileTarget(tmp_path / "notes.txt")


@pytest.fixture
def look(settings):
    """Verify; returns the findings' kinds and places, and what counts of each revoked key."""

    def _look(since=None):
        tally = Tally()
        found = kinds([finding.text for finding in verify(tally, since=since)])
        return found, list(tally.revoked.values()), tally.notes

    return _look


def sizes() -> list[int]:
    return list(Checkpoint.objects.order_by("size").values_list("size", flat=True))


def revoke(settings, use: str, as_of=None) -> None:
    """What the incident desk does: revoke the key that signs now, and make another."""
    private = {
        keys.LOG: settings.COUNTERSIGN_LOG_KEY_FILE,
        keys.DECISION: settings.COUNTERSIGN_SIGNING_KEY_FILE,
    }[use]
    trusted = settings.COUNTERSIGN_TRUSTED_KEYS_FILE
    kid = keys.load_signing_key(private).kid
    rotation.revoke(trusted_path=trusted, kid=kid, as_of=as_of or clock.now())
    rotation.rotate(private_path=private, trusted_path=trusted, use=use, at=clock.now())


def test_without_a_revoked_key_nothing_is_said(sealed, look):
    assert look() == ([], [], [])


def test_of_a_revoked_log_key_only_what_a_copy_covers_counts(
    sealed, outside, look, settings, monkeypatch
):
    monkeypatch.setattr(pages, "PAGE", 1)
    sealed()
    anchoring.copy_new(outside)
    covered = sizes()[-1]
    sealed()
    sealed()
    revoke(settings, keys.LOG)
    sealed()

    found, counted, [note] = look()

    first, *_ = sizes()[2:]
    assert found == [f"revoked audit_checkpoint:{first}"]
    assert counted == [covered]
    assert f"of what it signed the first {covered} leaves count" in note
    assert outside.name in note and "the database says" in note


def test_with_the_copies_at_hand_they_decide_and_not_the_database(
    sealed, outside, look, settings, tmp_path
):
    anchoring.copy_new(outside)
    sealed()
    before = clock.now() - timedelta(seconds=1)
    Anchored.objects.create(anchor="file:/forged", size=sizes()[-1], copied_at=before)
    revoke(settings, keys.LOG)
    sealed()
    text = (tmp_path / "notes.txt").read_text()

    assert look()[:2] == ([], [sizes()[1]]), "a row that an owner of the database wrote is believed"
    found, counted, _ = look(since=text)
    assert (found, counted) == ([f"revoked audit_checkpoint:{sizes()[1]}"], [sizes()[0]])


def test_a_copy_that_left_after_the_compromise_covers_nothing(
    sealed, outside, look, settings, tmp_path
):
    before = clock.now()
    anchoring.copy_new(outside)
    revoke(settings, keys.LOG, as_of=before)
    sealed()

    for since in (None, (tmp_path / "notes.txt").read_text()):
        found, counted, [note] = look(since=since)
        assert found == [f"revoked audit_checkpoint:{sizes()[0]}"]
        assert counted == [0]
        assert "outside before" in note


def test_a_copy_that_was_fetched_by_hand_counts_as_of_its_signature(sealed, look, settings):
    note = Checkpoint.objects.get().note
    revoke(settings, keys.LOG)

    assert look(since=note)[:2] == ([], sizes())
    assert look()[:2] == ([f"revoked audit_checkpoint:{sizes()[0]}"], [0])


def test_a_copy_with_which_the_log_does_not_begin_covers_nothing(
    sealed, outside, look, settings, tmp_path
):
    anchoring.copy_new(outside)
    kept = (tmp_path / "notes.txt").read_text()
    head = checkpoints.TreeHead(origin=log_keys.origin(), size=sizes()[0], root=bytes(32))
    forked = checkpoints.sign(head, log_keys.signing_key(clock.now()))
    revoke(settings, keys.LOG)
    sealed()

    assert look(since=kept)[1] == [sizes()[0]]
    found, counted, _ = look(since=forked)
    assert counted == [0]
    place = f"audit_checkpoint:{sizes()[0]}"
    assert found == [f"fork {place}", f"revoked {place}"]


@pytest.fixture
def decision_rows(
    sealed, outside, submit, refund_payload, approve, make_payment, settings, tmp_path
):
    """Two decisions: after the first one a checkpoint was copied outside."""
    settings.COUNTERSIGN_SIGNING_KEY_FILE = shutil.copy(
        settings.COUNTERSIGN_SIGNING_KEY_FILE, tmp_path / "signing.pem"
    )
    rows = []
    for _ in range(2):
        decision = approve(submit(refund_payload | {"payment_intent": make_payment().id}))
        services.seal()
        rows.append(decision.history.get().pk)
        if not Anchored.objects.exists():
            anchoring.copy_new(outside)
    return rows


def test_a_decision_under_a_revoked_key_counts_when_it_was_sealed_and_copied_before(
    decision_rows, look, settings
):
    _, later = decision_rows
    revoke(settings, keys.DECISION)

    found, counted, [note] = look()

    assert found == [f"revoked approvals_historicaldecision:{later}"]
    assert counted == [Anchored.objects.get().size]
    assert "(decision)" in note


def test_one_that_was_decided_after_the_instant_was_not_good_at_all(decision_rows, look, settings):
    covered, later = decision_rows
    revoke(settings, keys.DECISION, as_of=clock.now() - timedelta(days=1))

    found, counted, _ = look()

    assert counted == [0]
    assert [one for one in found if one.startswith("revoked")] == [
        f"revoked approvals_historicaldecision:{row}" for row in (covered, later)
    ]
    assert len([one for one in found if one.startswith("token")]) == 4


def test_after_a_rotation_without_a_compromise_all_of_it_counts(
    decision_rows, sealed, look, settings
):
    for use, private in (
        (keys.DECISION, settings.COUNTERSIGN_SIGNING_KEY_FILE),
        (keys.LOG, settings.COUNTERSIGN_LOG_KEY_FILE),
    ):
        rotation.rotate(
            private_path=private,
            trusted_path=settings.COUNTERSIGN_TRUSTED_KEYS_FILE,
            use=use,
            at=clock.now(),
        )
    sealed()

    assert look() == ([], [], [])
