"""An erasure is no finding; bytes that are gone without one are, and so is any later change."""

import io

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from approvals.models import ApprovalRequest, Decision
from audit import actors, clock, history
from audit.erasure import told
from audit.history import Fact
from audit.log import services as sealer
from audit.models import Erasure
from executors.models import Execution
from tests.audit.erasure.conftest import verified
from tests.support import unguarded

pytestmark = pytest.mark.django_db

REQUESTS = "approvals_historicalapprovalrequest"


def sql(statement: str, *values) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        assert cursor.rowcount


@pytest.fixture
def owner(erased):
    """An owner of the database, who takes the guards away."""
    unguarded.lift(connection)
    return erased


def test_bytes_that_are_gone_without_an_erasure_are_a_finding(settled):
    unguarded.lift(connection)
    pk = ApprovalRequest.history.first().pk
    sql(f"UPDATE {REQUESTS} SET canonical = NULL, salt = NULL WHERE history_id = %s", pk)

    [line] = verified()[0]

    assert line == f"bytes {REQUESTS}:{pk} Its bytes and its salt are gone, and no erasure says so."


def test_an_erasure_covers_only_the_rows_that_it_names(owner, submit, refund_payload):
    other = submit(refund_payload | {"amount": 100})
    sealer.seal()
    pk = ApprovalRequest.history.get(id=other.pk).pk
    sql(f"UPDATE {REQUESTS} SET canonical = NULL, salt = NULL WHERE history_id = %s", pk)

    assert [line.split(" ")[1] for line in verified()[0]] == [f"{REQUESTS}:{pk}"]


def test_an_erasure_that_somebody_wrote_without_the_history_key_covers_nothing(settled, settings):
    unguarded.lift(connection)
    row = ApprovalRequest.history.first()
    digest = told.digest_of_rest(row)
    sql(f"UPDATE {REQUESTS} SET canonical = NULL, salt = NULL WHERE history_id = %s", row.pk)
    sql(f"UPDATE {REQUESTS} SET history_change_reason = NULL WHERE history_id = %s", row.pk)
    settings.COUNTERSIGN_HISTORY_KEY, ours = "another", settings.COUNTERSIGN_HISTORY_KEY
    forged = Erasure(
        subject=settled.pk,
        target=settled.pk,
        reason="Forged.",
        erased_by="person:mallory",
        erased_at=settled.submitted_at,
        rows={REQUESTS: {str(row.pk): digest}},
        others={},
    )
    with transaction.atomic():
        fact = Fact(actor=actors.system("mallory"), event="record:erase", at=clock.now())
        history.record(forged, fact)
    settings.COUNTERSIGN_HISTORY_KEY = ours

    lines = verified()[0]

    gone = f"bytes {REQUESTS}:{row.pk} Its bytes and its salt are gone, and no erasure says so."
    assert gone in lines
    assert any(line.startswith("hmac audit_historicalerasure:") for line in lines)


@pytest.mark.parametrize("column", ["canonical", "salt"])
def test_half_of_it_put_back_is_a_finding(owner, column):
    pk = ApprovalRequest.history.first().pk
    sql(f"UPDATE {REQUESTS} SET {column} = 'x' WHERE history_id = %s", pk)

    assert verified()[0] == [
        f"bytes {REQUESTS}:{pk} Its bytes, its salt or its HMAC are not there."
    ]


def test_an_erased_column_that_holds_something_again_is_a_finding(owner):
    pk = ApprovalRequest.history.first().pk
    sql(f"UPDATE {REQUESTS} SET history_change_reason = 'New.' WHERE history_id = %s", pk)

    assert verified()[0] == [
        f"columns {REQUESTS}:{pk} It was erased, and is not empty: history_change_reason."
    ]


@pytest.mark.parametrize(
    ("column", "value"),
    [("actor", "person:mallory"), ("event", "request:expire"), ("amount_minor", 1), ("number", 99)],
)
def test_what_was_left_of_an_erased_row_cannot_be_changed(owner, column, value):
    pk = ApprovalRequest.history.order_by("pk").first().pk
    sql(f"UPDATE {REQUESTS} SET {column} = %s WHERE history_id = %s", value, pk)

    assert (
        f"columns {REQUESTS}:{pk} Its columns are not what was left when it was erased."
        in (verified()[0])
    )


def test_an_erased_row_without_its_leaf_is_a_finding(owner):
    pk = ApprovalRequest.history.first().pk
    sql('DELETE FROM audit_leaf WHERE "table" = %s AND "row" = %s', REQUESTS, pk)

    assert f"unsealed {REQUESTS}:{pk} It was erased, and has no leaf." in verified()[0]


@pytest.mark.parametrize("model", [Decision, Execution])
def test_a_token_that_is_gone_without_an_erasure_is_a_finding(settled, model):
    table = model._meta.db_table
    sql(f"UPDATE {table} SET token = NULL")

    pk = model.objects.get().pk
    assert f"token {table}:{pk} Its token is gone, and no erasure says so." in verified()[0]


def test_an_erased_decision_that_is_changed_is_a_finding(owner):
    sql("UPDATE approvals_decision SET outcome = 'REJECTED'")

    [line] = verified()[0]
    assert line.startswith("current approvals_decision:")


def test_history_user_is_in_no_bytes(settled):
    unguarded.lift(connection)
    sql("UPDATE approvals_historicalreview SET history_user_id = NULL")

    assert verified()[0] == []


def test_history_user_has_no_constraint_in_the_database(settled):
    unguarded.lift(connection)
    sql("UPDATE approvals_historicalreview SET history_user_id = 123456789")

    connection.check_constraints()


def test_the_command_prints_each_erasure_and_ends_with_0(erased):
    out = io.StringIO()

    call_command("verify_record", stdout=out)

    line, sentence = out.getvalue().splitlines()
    erasure = Erasure.objects.get()
    rows = sum(map(len, erasure.rows.values()))
    assert line.startswith(f"erased audit_erasure:{erasure.pk} Erased by person:admin on 20")
    assert line.endswith(f": Asked for by the customer. ({rows} history rows).")
    assert sentence.startswith("No findings")
