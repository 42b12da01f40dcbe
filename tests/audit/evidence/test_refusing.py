"""When no evidence file is made, and what is said then."""

import json

import pytest

from audit.errors import EvidenceError, KeyFileError, NoSuchSubjectError
from audit.evidence import package, sealed
from audit.signing import keys, rotation
from audit.signing.keys import DECISION
from tests.audit.evidence.conftest import revoke, run, wrong
from tests.audit.log.verification.conftest import sql

pytestmark = pytest.mark.django_db

TABLE = "approvals_historicalreview"


def test_rows_that_are_not_sealed_yet_are_named(decided, log_key):
    sql('DELETE FROM audit_leaf WHERE "table" = %s', TABLE)

    with pytest.raises(EvidenceError, match=r"1 of 8 rows are not sealed yet \(row 2\)\. The seal"):
        package.make(decided.pk)


def test_of_many_rows_that_are_not_sealed_a_few_are_named(log_key, pending_request, approve):
    approve(pending_request)
    run(pending_request)

    with pytest.raises(EvidenceError, match=r"8 of 8 rows .*\(row 1, 2, 3, 4, 5 …\)"):
        package.make(pending_request.pk)


@pytest.mark.parametrize("column", ["canonical", "salt"])
def test_a_row_whose_bytes_are_gone_is_named(decided, column):
    sql(f"UPDATE {TABLE} SET {column} = NULL")

    with pytest.raises(EvidenceError, match="the bytes of row 2 are gone"):
        package.make(decided.pk)


def test_a_row_that_was_removed_is_missed(decided):
    sql(f"DELETE FROM {TABLE}")

    with pytest.raises(EvidenceError, match=r"Of the 8 facts about .* some are missing"):
        package.make(decided.pk)


def test_a_row_that_was_changed_makes_no_evidence(decided):
    sql(f"UPDATE {TABLE} SET canonical = REPLACE(canonical, 'APPROVE', 'REJECT')")

    with pytest.raises(EvidenceError, match=r"is not what was sealed; `manage\.py verify_record`"):
        package.make(decided.pk)


def test_a_malformed_salt_makes_no_evidence(decided):
    sql(f"UPDATE {TABLE} SET salt = 'salt'")

    with pytest.raises(EvidenceError, match="The salt of row 2 is malformed"):
        package.make(decided.pk)


def test_rows_that_come_meanwhile_are_waited_for(decided, monkeypatch):
    numbers = iter([7, 8, 8, 8])
    monkeypatch.setattr(sealed, "_last_number", lambda subject: next(numbers))

    assert wrong(package.make(decided.pk)) == []


def test_rows_that_never_stop_coming_end_in_a_sentence(decided, monkeypatch):
    numbers = iter(range(100))
    monkeypatch.setattr(sealed, "_last_number", lambda subject: next(numbers))

    with pytest.raises(EvidenceError, match="Much is being written about"):
        package.make(decided.pk)


@pytest.mark.parametrize("subject", ["req_1", "", "\u202e"])
def test_a_subject_that_the_record_does_not_know_is_named(log_key, subject):
    with pytest.raises(NoSuchSubjectError, match="The record tells nothing about"):
        package.make(subject)


def test_what_is_no_request_has_no_evidence(decided):
    with pytest.raises(NoSuchSubjectError, match="is no request"):
        package.make(decided.agent_id)


def test_without_a_good_checkpoint_there_is_no_evidence(decided, settings):
    revoke(settings, keys.load_signing_key(settings.COUNTERSIGN_LOG_KEY_FILE).kid)

    with pytest.raises(EvidenceError, match="No checkpoint under a trusted key covers all of this"):
        package.make(decided.pk)


def test_a_checkpoint_that_is_filed_under_another_size_does_not_count(decided):
    sql("UPDATE audit_checkpoint SET size = 1000")

    with pytest.raises(EvidenceError, match="No checkpoint under a trusted key"):
        package.make(decided.pk)


def test_a_key_that_is_no_longer_in_the_file_is_named(decided, settings, tmp_path, own_keys_only):
    with pytest.raises(EvidenceError, match="is no longer in the file of trusted keys"):
        package.make(decided.pk)


@pytest.fixture
def own_keys_only(decided, settings, tmp_path):
    """The decision's key was removed from the file; another one signs."""
    path = settings.COUNTERSIGN_TRUSTED_KEYS_FILE
    known = json.loads(path.read_text())
    known["keys"] = [key for key in known["keys"] if key["use"] != DECISION]
    path.write_text(json.dumps(known))
    settings.COUNTERSIGN_SIGNING_KEY_FILE = tmp_path / "signing.pem"
    rotation.rotate(
        private_path=settings.COUNTERSIGN_SIGNING_KEY_FILE,
        trusted_path=path,
        use=DECISION,
        at=package.clock.now(),
    )


def test_a_key_that_is_not_trusted_signs_no_file(decided, settings):
    revoke(settings, keys.load_signing_key(settings.COUNTERSIGN_SIGNING_KEY_FILE).kid)

    with pytest.raises(KeyFileError, match="does not trust now"):
        package.make(decided.pk)


def test_the_key_of_the_log_signs_no_file(decided, settings):
    settings.COUNTERSIGN_SIGNING_KEY_FILE = settings.COUNTERSIGN_LOG_KEY_FILE

    with pytest.raises(KeyFileError, match="does not trust now"):
        package.make(decided.pk)
