"""What the application's role may do to the record in PostgreSQL, and what it must not."""

import os
from contextlib import contextmanager

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from audit.guards import grants, tables, triggers
from audit.guards.grants import HardeningError
from audit.log import services as log
from audit.log.verification.findings import Tally
from audit.log.verification.run import verify
from executors import services
from executors.enums import ExecutionStatus as S
from executors.models import Execution
from tests.audit.log.conftest import rotate

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

ROLE = f"app_{os.getpid()}"
HISTORY = "approvals_historicalagent"


def sql(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def role(db):
    """The application's role, which is gone again with the test's transaction."""
    sql(f"CREATE ROLE {ROLE} LOGIN")
    return ROLE


@pytest.fixture
def hardened(role):
    grants.harden(connection, role=role)
    return role


@contextmanager
def acting_as(role):
    sql(f"SET LOCAL ROLE {role}")
    try:
        yield
    finally:
        sql("RESET ROLE")


def test_nothing_more_than_insert_and_select_is_left(hardened):
    assert grants.find_excess(connection, role=hardened) == []
    assert grants.find_lack(connection, role=hardened) == []


@pytest.mark.parametrize("table", ["approvals_historicalagent", "audit_leaf", "audit_checkpoint"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET {column} = {column}",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "ALTER TABLE {} DISABLE TRIGGER countersign_no_change",
        "DROP TRIGGER countersign_no_change ON {}",
        "DROP TABLE {}",
    ],
)
def test_the_role_is_refused_by_the_database_before_any_trigger(hardened, table, statement):
    column = {"audit_leaf": "entry", "audit_checkpoint": "note"}.get(table, "actor")
    with acting_as(hardened), pytest.raises(ProgrammingError), transaction.atomic():
        sql(statement.format(table, column=column))


def test_it_can_do_all_that_the_processes_do(
    hardened, settings, tmp_path, submit, refund_payload, approve, reviewer
):
    settings.COUNTERSIGN_LOG_KEY_FILE = tmp_path / "log.pem"
    rotate(settings)

    with acting_as(hardened):
        approve(submit(refund_payload))
        execution = Execution.objects.get()
        assert services.run(execution_id=execution.pk, worker="w:1") == S.SUCCEEDED
        assert log.seal().leaves > 5
        reviewer.groups.clear()
        log.seal()
        assert list(verify(Tally())) == []


MORE = {
    "UPDATE on the table": (f"GRANT UPDATE ON {HISTORY} TO {ROLE}", f"has UPDATE on {HISTORY}."),
    "UPDATE of a column": (
        f"GRANT UPDATE (actor) ON {HISTORY} TO {ROLE}",
        f"has UPDATE on {HISTORY}.",
    ),
    "DELETE for everybody": ("GRANT DELETE ON audit_leaf TO PUBLIC", "has DELETE on audit_leaf."),
    "TRUNCATE": (f"GRANT TRUNCATE ON audit_leaf TO {ROLE}", "has TRUNCATE on audit_leaf."),
    "TRIGGER": (f"GRANT TRIGGER ON audit_leaf TO {ROLE}", "has TRIGGER on audit_leaf."),
    "a role that it can become": (
        f"CREATE ROLE {ROLE}_2; GRANT UPDATE ON audit_leaf TO {ROLE}_2; "
        f"ALTER ROLE {ROLE} NOINHERIT; GRANT {ROLE}_2 TO {ROLE}",
        "has UPDATE on audit_leaf.",
    ),
    "everything to write": (f"GRANT pg_write_all_data TO {ROLE}", "has UPDATE on "),
    "a table of its own": (f"ALTER TABLE audit_leaf OWNER TO {ROLE}", "owns the table audit_leaf,"),
    "the triggers' function": (
        f"ALTER FUNCTION countersign_written_once OWNER TO {ROLE}",
        "owns the function countersign_written_once,",
    ),
    "the schema": (f"ALTER SCHEMA public OWNER TO {ROLE}", "owns the schema public,"),
    "superuser": (f"ALTER ROLE {ROLE} SUPERUSER", f"is or can become {ROLE},"),
    "roles": (f"ALTER ROLE {ROLE} CREATEROLE", f"is or can become {ROLE},"),
    "programs": (
        f"GRANT pg_execute_server_program TO {ROLE}",
        "is or can become pg_execute_server_program,",
    ),
}


@pytest.mark.parametrize("name", MORE)
def test_whatever_more_the_role_has_is_told(hardened, name):
    statement, told = MORE[name]
    sql(statement)

    excess = grants.find_excess(connection, role=hardened)

    assert any(sentence.startswith(f"The role {ROLE} {told}") for sentence in excess), excess


def test_the_owner_of_the_database_is_told(hardened):
    database = connection.ops.quote_name(connection.settings_dict["NAME"])
    sql(f"ALTER DATABASE {database} OWNER TO {ROLE}")

    assert "the database " in " ".join(grants.find_excess(connection, role=hardened))


def test_what_the_role_lacks_is_told(role):
    [sentence] = grants.find_lack(connection, role=role)

    assert sentence.startswith(f"The role {ROLE} cannot insert into or read approvals_historical")
    assert sentence.endswith(f" and {len(tables.record_tables()) - 3} more.")


def test_tables_and_functions_of_the_role_are_taken_over(role):
    sql(
        f"ALTER TABLE audit_leaf OWNER TO {ROLE}",
        f"ALTER TABLE approvals_agent OWNER TO {ROLE}",
        f"ALTER FUNCTION countersign_written_once OWNER TO {ROLE}",
    )

    grants.harden(connection, role=role)

    assert grants.find_excess(connection, role=role) == []
    assert triggers.missing(connection) == []
    with pytest.raises(IntegrityError), transaction.atomic():
        sql("INSERT INTO audit_leaf VALUES (0, 't', 1, 'x')", "DELETE FROM audit_leaf")


def test_a_role_that_is_not_there_or_is_the_owner_is_refused(role):
    with pytest.raises(HardeningError, match=r"no role nobody_here.*CREATE ROLE"):
        grants.harden(connection, role="nobody_here")
    with pytest.raises(HardeningError, match="name the same role"):
        grants.harden(connection, role=grants.present_role(connection))


def test_who_does_not_own_the_tables_cannot_give_them_away(role, hardened):
    sql(f"CREATE ROLE {ROLE}_2")
    with acting_as(f"{ROLE}_2"), pytest.raises(HardeningError, match="The owner may not do this"):
        grants.harden(connection, role=role)
