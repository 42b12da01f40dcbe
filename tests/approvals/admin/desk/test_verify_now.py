"""“Verify now” computes one record again, says what is wrong with which row, and writes nothing."""

import json
import secrets

import pytest
from django.db import connection
from django.test import Client

from approvals.models import ApprovalRequest, Decision
from audit import history
from audit.canonical import canonical_text
from audit.models import Checkpoint, Leaf
from tests.approvals.admin.desk.conftest import record_of, sealer, sql, text_of

pytestmark = pytest.mark.django_db

TABLE = "approvals_historicalapprovalrequest"


@pytest.fixture
def row(decided):
    """The newest row about the request itself."""
    return ApprovalRequest.history.order_by("number").last()


@pytest.fixture
def verify(decided, desk):
    """Press the button."""
    return lambda: text_of(desk.post(record_of(decided)))


def results(page: str) -> tuple[int, int]:
    """Return how many checks were good, and how many bad."""
    return page.count(">✓ "), page.count(">✗ ")


def test_an_honest_record_holds(decided, verify):
    page = verify()

    assert "The record holds." in page
    size = Checkpoint.objects.latest("size").size
    assert f"against the checkpoint over {size} leaves" in page
    rows = len([leaf for leaf in Leaf.objects.all() if f"leaf {leaf.number}," in page])
    assert results(page) == (4 * rows, 0)


def test_reading_verifies_nothing(decided, desk):
    assert results(text_of(desk.get(record_of(decided)))) == (0, 0)


def test_it_writes_nothing(decided, desk):
    with connection.execute_wrapper(only_reads):
        assert desk.post(record_of(decided)).status_code == 200


def only_reads(execute, statement, params, many, context):
    """Refuse to write anything but the time of the last click, in the person's session."""
    if "django_session" not in statement:
        assert statement.startswith(("SELECT", "SAVEPOINT", "RELEASE")), statement
    return execute(statement, params, many, context)


def test_it_asks_for_the_token_of_the_form(decided, auditor):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(auditor)

    assert browser.post(record_of(decided)).status_code == 403
    assert "csrfmiddlewaretoken" in text_of(browser.get(record_of(decided)))


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("amount_minor", 1, "Its columns and its bytes differ: amount_minor."),
        ("actor", "person:mallory", "Its columns and its bytes differ: actor."),
        ("hmac", "00" * 32, "Its HMAC is not that of its bytes."),
        ("salt", "00" * 32, "Its bytes are not those that were sealed."),
        ("salt", "no salt", "Its bytes do not lead to the root that was signed."),
        ("salt", None, "Its bytes, its salt or its HMAC are not there."),
    ],
)
def test_a_changed_row_is_named(row, verify, column, value, sentence):
    sql(f"UPDATE {TABLE} SET {column} = %s WHERE history_id = %s", value, row.pk)

    page = verify()

    assert "The record does not hold." in page
    assert sentence in page
    assert page.count("cs-wrong") == 1


def test_changed_bytes_fail_every_check(row, verify):
    said = json.loads(row.canonical)
    said["actor"] = "person:mallory"
    sql(f"UPDATE {TABLE} SET canonical = %s WHERE history_id = %s", json.dumps(said), row.pk)

    assert results(verify())[1] == 4


def test_whoever_has_the_history_key_and_changes_the_leaf_too_fails_by_the_root(row, verify):
    forge(row)
    entry = sealer.merkle.entry_of(bytes.fromhex(row.salt), row.canonical.encode()).hex()
    Leaf.objects.filter(table=TABLE, row=row.pk).update(entry=entry)

    page = verify()

    assert "Its bytes do not lead to the root that was signed." in page
    assert page.count("✗ inclusion") >= 1


def forge(row):
    """Make the row another one, consistent in itself, with a new salt and a good HMAC."""
    row.amount_minor, row.salt = 1, secrets.token_hex(32)
    row.canonical = canonical_text(history.canonical_form(row))
    row.hmac = history.authenticate(row.canonical, row.salt)
    row.save()


def test_a_row_that_is_gone_leaves_a_gap(row, verify):
    sql(f"DELETE FROM {TABLE} WHERE history_id = %s", row.pk)

    page = verify()

    assert "some are missing, or are there twice" in page
    assert "The record does not hold." in page


def test_a_counter_that_is_gone_is_noticed(decided, verify):
    sql("DELETE FROM audit_subject WHERE id = %s", decided.pk)

    assert "Of the 0 facts that were told" in verify()


def test_a_table_that_is_not_what_its_history_says_is_named(decided, verify):
    decision = Decision.objects.get()
    sql("UPDATE approvals_decision SET reason = 'Forged.' WHERE id = %s", decision.pk)

    assert f"{decision.pk}: It is not what its newest history row says: reason." in verify()


def test_a_row_that_waits_for_the_sealer_is_no_fault(log_key, pending_request, desk):
    page = text_of(desk.post(record_of(pending_request)))

    assert "The record holds." in page
    assert "1 of them wait for the sealer" in page
    assert "– leaf: not sealed yet" in page


def test_a_row_that_waits_for_too_long_is_a_fault(log_key, pending_request, desk, later):
    later(minutes=2)

    page = text_of(desk.post(record_of(pending_request)))

    assert "It has no leaf, and is older than a minute." in page


def test_a_checkpoint_that_nobody_trusted_signed_proves_nothing(decided, verify):
    Checkpoint.objects.all().delete()
    Checkpoint.objects.create(
        size=Leaf.objects.count(), root="00" * 32, note="forged", signed_at=decided.submitted_at
    )

    page = verify()

    assert "is not what a trusted key signed" in page
    assert "No checkpoint under a trusted key covers its leaf." in page


def test_without_the_trusted_keys_it_says_that_nothing_was_verified(
    decided, verify, settings, tmp_path
):
    settings.COUNTERSIGN_TRUSTED_KEYS_FILE = tmp_path / "none.json"

    page = verify()

    assert "Nothing was verified" in page
    assert "none.json" not in page
    assert "The record holds." not in page


@pytest.mark.embedded
@pytest.mark.parametrize("column", ["history_date", "number", "submitted_at"])
def test_a_value_that_no_column_holds_stops_nothing(row, decided, desk, column):
    sql(f"UPDATE {TABLE} SET {column} = 'nonsense' WHERE history_id = %s", row.pk)

    page = text_of(desk.post(record_of(decided)))

    assert "The record does not hold." in page
    assert "proposed the action" in page
