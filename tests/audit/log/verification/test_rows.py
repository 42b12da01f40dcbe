"""Each row against its bytes, its HMAC and its leaf."""

import json
import secrets
from datetime import timedelta

import pytest

from approvals.models import Agent
from audit import clock, history
from audit.canonical import canonical_text
from audit.log import merkle
from audit.log.verification import pages
from audit.log.verification.findings import Tally
from audit.log.verification.run import count_steps, verify
from audit.models import Leaf
from tests.audit.log.verification.conftest import found, kinds, sql
from tests.conftest import make_person

pytestmark = pytest.mark.django_db

TABLE = "approvals_historicalagent"


@pytest.fixture
def row(sealed):
    """A sealed row in the middle of the others."""
    return Agent.history.order_by("pk")[1]


def set_column(row, name, value):
    sql(f"UPDATE {TABLE} SET {name} = %s WHERE history_id = %s", value, row.pk)


def test_an_honest_record_has_no_findings(sealed, monkeypatch):
    monkeypatch.setattr(pages, "PAGE", 2)
    steps = []
    tally = Tally(advance=steps.append)

    assert list(verify(tally)) == []
    assert tally.rows == Leaf.objects.count() > 3
    assert tally.waiting == tally.findings == 0
    assert sum(steps) == count_steps()


def test_people_and_groups_of_whatever_membership_have_no_findings(sealed, reviewer, agent_key):
    reviewer.groups.clear()
    sealed()

    assert found() == []


@pytest.mark.parametrize(
    ("column", "value", "name"),
    [
        ("name", "other", "name"),
        ("status", "SUSPENDED", "status"),
        ("owner_id", 4711, "owner_id"),
        ("actor", "user:9 mallory", "actor"),
        ("event", "agent:create", "event"),
        ("history_change_reason", "because", "reason"),
        ("subject", "agt_other", "subject"),
        ("number", 99, "number"),
        ("history_type", "-", "type"),
        ("history_date", "2026-01-01 00:00:00+00:00", "at"),
    ],
)
def test_a_changed_column_is_named(row, column, value, name):
    set_column(row, column, value)

    assert f"columns {TABLE}:{row.pk} Its columns and its bytes differ: {name}." in found()


def test_changed_bytes_are_found_three_times(row):
    set_column(row, "canonical", row.canonical.replace("billing", "killing"))

    assert kinds(found()) == [f"{kind} {TABLE}:{row.pk}" for kind in ("hmac", "leaf", "columns")]


def test_whoever_has_the_history_key_too_is_found_by_the_leaf(row):
    """The row is another one, consistent in itself, with a new salt and a good HMAC."""
    row.name, row.salt = "other", secrets.token_hex(32)
    row.canonical = canonical_text(history.canonical_form(row))
    row.hmac = history.authenticate(row.canonical, row.salt)
    row.save()

    assert found() == [f"leaf {TABLE}:{row.pk} Its bytes are not those that were sealed."]


@pytest.mark.parametrize("salt", ["00" * 32, "no salt", ""])
def test_another_salt_is_found(row, salt):
    set_column(row, "salt", salt)

    assert kinds(found()) == [f"hmac {TABLE}:{row.pk}", f"leaf {TABLE}:{row.pk}"]


@pytest.mark.parametrize("mac", ["", "é", "00" * 32])
def test_a_row_without_a_good_hmac_is_found(row, mac):
    set_column(row, "hmac", mac)

    assert found() == [f"hmac {TABLE}:{row.pk} Its HMAC is not that of its bytes."]


@pytest.mark.parametrize("column", ["canonical", "salt"])
def test_a_row_without_bytes_or_salt_is_found(row, column):
    set_column(row, column, None)

    assert kinds(found()) == [f"bytes {TABLE}:{row.pk}"]


@pytest.mark.parametrize("text", ["no json", "[]", "{}", '{"fields": 1}', "[" * 100_000])
def test_bytes_that_are_no_rows_are_found(row, text):
    set_column(row, "canonical", text)

    assert "the bytes are no history row's." in found()[-1]


def test_the_same_values_in_other_bytes_are_found(row):
    """What two parsers could read in two ways is not what was written."""
    row.canonical = row.canonical.replace("{", "{ ", 1)
    row.hmac = history.authenticate(row.canonical, row.salt)
    row.save()

    assert found()[-1].endswith("differ: the form.")


def test_one_and_true_are_two_values(sealed, agent_key):
    sealed()
    [row] = agent_key.key.history.all()
    table = row._meta.db_table
    said = json.loads(row.canonical)
    for value in (True, 1):
        said["fields"]["actions"] = [value]
        sql(
            f"UPDATE {table} SET actions = %s, canonical = %s WHERE history_id = %s",
            "[1]",
            canonical_text(said),
            row.pk,
        )
        columns = [line for line in found() if line.startswith(f"columns {table}")]
        assert bool(columns) == (value is True)


@pytest.mark.parametrize("number", ["1.5", "9007199254740993"])
def test_a_column_without_a_canonical_form_is_found(sealed, agent_key, number):
    sealed()
    [row] = agent_key.key.history.all()
    table = row._meta.db_table
    sql(f"UPDATE {table} SET actions = %s WHERE history_id = %s", f"[{number}]", row.pk)

    assert f"columns {table}:{row.pk}" in kinds(found())


@pytest.mark.embedded
class TestWhatOnlySqliteTakes:
    @pytest.mark.parametrize("column", ["history_date", "created_at"])
    def test_a_date_that_is_none_is_found(self, row, column):
        set_column(row, column, "yesterday")

        assert kinds(found()) == [f"columns {TABLE}:{row.pk}"]

    def test_a_date_that_never_was_keeps_no_other_row_from_its_check(self, row):
        set_column(row, "created_at", "2026-13-45 00:00:00")
        last = Agent.history.latest("pk")
        set_column(last, "actor", "user:9 mallory")

        assert found() == [
            f"columns {TABLE}:{row.pk} A column holds what it cannot hold.",
            f"columns {TABLE}:{last.pk} Its columns and its bytes differ: actor.",
        ]

    @pytest.mark.parametrize("column", ["canonical", "salt", "hmac"])
    def test_a_text_that_is_none_is_found(self, row, column):
        set_column(row, column, b"\xff")

        assert kinds(found()) == [f"bytes {TABLE}:{row.pk}"]


def test_a_deleted_row_is_found(row):
    number = Leaf.objects.get(table=TABLE, row=row.pk).number
    sql(f"DELETE FROM {TABLE} WHERE history_id = %s", row.pk)

    sentence = f"The row of leaf {number} is not in its table any more."
    assert f"missing {TABLE}:{row.pk} {sentence}" in found()


def test_a_row_that_changed_places_is_found(row):
    set_column(row, "history_id", 4711)

    assert f"missing {TABLE}:{row.pk}" in kinds(found())


def test_a_leaf_of_a_foreign_table_is_found(row):
    sql('UPDATE audit_leaf SET "table" = \'other\' WHERE "table" = %s AND row = %s', TABLE, row.pk)

    lines = found()
    assert f"missing other:{row.pk}" in kinds(lines)


def test_a_changed_leaf_is_found(row):
    entry = merkle.entry_of(b"", b"")
    leaf = Leaf.objects.get(table=TABLE, row=row.pk)
    sql("UPDATE audit_leaf SET entry = %s WHERE number = %s", entry.hex(), leaf.number)

    assert f"leaf {TABLE}:{row.pk}" in kinds(found())


def test_a_row_waits_a_minute_for_its_leaf(sealed, change, later):
    change()
    tally = Tally()

    assert list(verify(tally)) == []
    assert tally.waiting == 1

    later(seconds=61)
    row = Agent.history.latest("pk")
    assert found() == [f"unsealed {TABLE}:{row.pk} It has no leaf, and is older than a minute."]


def test_a_row_that_was_put_in_is_found(sealed):
    row = Agent.history.latest("pk")
    row.pk, row.number, row.actor = None, row.number + 1, "user:9 mallory"
    row.history_date = clock.now() - timedelta(minutes=2)
    row._state.adding = True
    row.save(force_insert=True)

    assert f"unsealed {TABLE}:{row.pk}" in kinds(found())
    assert f"columns {TABLE}:{row.pk}" in kinds(found())


def test_every_finding_is_told(row):
    make_person("somebody")
    for one in Agent.history.all():
        set_column(one, "actor", "user:9 mallory")

    assert kinds(found()) == [f"columns {TABLE}:{one.pk}" for one in Agent.history.order_by("pk")]
