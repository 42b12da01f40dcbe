"""The triggers: they refuse, they come back after every migration, and a missing one is found."""

import io

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, models, transaction

from approvals.models import Agent, User
from audit import actors, clock, history
from audit.guards import checks, tables, triggers
from audit.history import Fact
from audit.log import services
from audit.models import Checkpoint, Leaf, LogTile
from tests.audit.log.conftest import change, rotate  # noqa: F401 - the stage of the log
from tests.conftest import make_person
from tests.support import unguarded

pytestmark = pytest.mark.django_db

on_postgresql = pytest.mark.postgres
on_sqlite = pytest.mark.embedded


@pytest.fixture
def sealed(settings, tmp_path, agent, reviewer, change):  # noqa: F811
    """A guarded record with history, memberships, leaves, a full tile and a checkpoint."""
    settings.COUNTERSIGN_LOG_KEY_FILE = tmp_path / "log.pem"
    settings.COUNTERSIGN_TRUSTED_KEYS_FILE = tmp_path / "trusted.json"
    rotate(settings)
    change(260)
    services.seal()
    assert LogTile.objects.exists() and Checkpoint.objects.exists()


def membership_history() -> type[models.Model]:
    [model] = [
        model for model in tables._membership_models() if "user_groups" in model._meta.db_table
    ]
    return model


GUARDED = {
    "history": lambda: Agent.history.model,
    "memberships": membership_history,
    "leaves": lambda: Leaf,
    "tiles": lambda: LogTile,
    "checkpoints": lambda: Checkpoint,
}


def refused():
    return pytest.raises(IntegrityError, match="rows of the record are written once")


@pytest.mark.usefixtures("sealed")
@pytest.mark.parametrize("what", GUARDED)
class TestARowOfTheRecord:
    def test_cannot_be_changed(self, what):
        model = GUARDED[what]()
        field = model._meta.concrete_fields[-1]
        value = model._default_manager.values_list(field.attname, flat=True).first()

        with refused(), transaction.atomic():
            model._default_manager.update(**{field.attname: value})

    def test_cannot_be_removed(self, what):
        rows = GUARDED[what]()._default_manager
        before = rows.count()

        with refused(), transaction.atomic():
            rows.all()._raw_delete("default")
        assert rows.count() == before > 0

    @on_postgresql
    @pytest.mark.parametrize("role", ["origin", "replica"])
    def test_cannot_be_truncated_or_changed_as_a_replica(self, what, role):
        table = connection.ops.quote_name(GUARDED[what]()._meta.db_table)
        for statement in (f"TRUNCATE {table} CASCADE", f"DELETE FROM {table}"):
            with refused(), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL session_replication_role = {role}")
                cursor.execute(statement)


def test_every_table_of_the_record_has_its_triggers_after_a_migration():
    assert triggers.missing(connection) == []
    guarded = {trigger.table for trigger in triggers.expected(connection)}
    tracked = {model._meta.db_table for model in tables.history_models()}
    assert guarded == set(tables.record_tables())
    assert guarded > tracked | {"audit_leaf", "audit_logtile", "audit_checkpoint"}


def test_a_person_who_is_deleted_past_everything_leaves_the_history_as_it_was(agent):
    person = make_person("other")
    key = person.pk
    with transaction.atomic():
        fact = Fact(actor=actors.person(person), event="agent:update", at=clock.now())
        history.record_many([agent], fact)

    person.delete()

    assert Agent.history.filter(history_user_id=key).exists()
    assert User.history.filter(id=key).count() > 1


def test_a_missing_one_is_found_with_the_remedy_and_migrate_puts_it_back():
    assert run_checks(databases=["default"], tags=["database"]) == []
    unguarded.lift(connection, only=["audit_leaf"])

    found = run_checks(databases=["default"], tags=["database"])

    assert {message.id for message in found} == {checks.MISSING}
    assert {message.obj for message in found} == {"audit_leaf"}
    assert "manage.py migrate" in found[0].hint
    with pytest.raises(CommandError, match="audit_leaf"):
        call_command("check", databases=["default"], fail_level="WARNING", stdout=io.StringIO())

    call_command("migrate", verbosity=0, stdout=io.StringIO(), stderr=io.StringIO())
    assert run_checks(databases=["default"], tags=["database"]) == []


def test_without_a_database_or_its_tables_nothing_is_missing(monkeypatch):
    assert checks.check_triggers() == []
    monkeypatch.setattr(tables, "record_tables", lambda: ["table_of_a_migration_to_come"])

    assert triggers.missing(connection) == triggers.install(connection) == []


@on_sqlite
@pytest.mark.django_db(transaction=True)
def test_sqlite_loses_them_when_a_table_is_made_anew_and_migrate_puts_them_back():
    field = Leaf._meta.get_field("table")
    wider = models.CharField(max_length=90)
    wider.set_attributes_from_name("table")
    wider.model = Leaf
    with connection.schema_editor() as editor:
        editor.alter_field(Leaf, field, wider)
    try:
        assert {one.table for one in triggers.missing(connection)} == {"audit_leaf"}
    finally:
        with connection.schema_editor() as editor:
            editor.alter_field(Leaf, wider, field)

    call_command("migrate", verbosity=0, stderr=io.StringIO())
    assert triggers.missing(connection) == []


@on_sqlite
@pytest.mark.parametrize(
    "body", ["SELECT 1", "SELECT RAISE(ABORT, 'UPDATE of audit_leaf: rows of the record are')"]
)
def test_in_sqlite_one_that_does_something_else_is_missing(body):
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER audit_leaf_no_update")
        cursor.execute(
            f"CREATE TRIGGER audit_leaf_no_update BEFORE UPDATE ON audit_leaf BEGIN {body}; END"
        )

    [found] = triggers.missing(connection)
    assert found == ("audit_leaf", "audit_leaf_no_update", "UPDATE")
    assert triggers.install(connection) == [found]
    assert triggers.missing(connection) == []


_BYPASSED = {
    "disabled": "ALTER TABLE audit_leaf DISABLE TRIGGER countersign_no_change",
    "not for replicas": "ALTER TABLE audit_leaf ENABLE TRIGGER countersign_no_change",
    "with a condition": (
        "CREATE OR REPLACE TRIGGER countersign_no_change BEFORE UPDATE OR DELETE ON audit_leaf "
        "FOR EACH ROW WHEN (OLD.number < 0) EXECUTE FUNCTION countersign_written_once()"
    ),
    "for one statement": (
        "CREATE OR REPLACE TRIGGER countersign_no_change BEFORE UPDATE ON audit_leaf "
        "FOR EACH ROW EXECUTE FUNCTION countersign_written_once()"
    ),
    "for one column": (
        "CREATE OR REPLACE TRIGGER countersign_no_change BEFORE DELETE OR UPDATE OF row "
        "ON audit_leaf FOR EACH ROW EXECUTE FUNCTION countersign_written_once()"
    ),
}


@on_postgresql
@pytest.mark.parametrize("how", _BYPASSED)
def test_in_postgresql_one_that_lets_something_by_is_missing(how):
    with connection.cursor() as cursor:
        cursor.execute(_BYPASSED[how])
        if how not in ("disabled", "not for replicas"):
            cursor.execute("ALTER TABLE audit_leaf ENABLE ALWAYS TRIGGER countersign_no_change")

    assert [(one.table, one.name) for one in triggers.missing(connection)] == [
        ("audit_leaf", "countersign_no_change")
    ]
    triggers.install(connection)
    assert triggers.missing(connection) == []


@on_postgresql
def test_in_postgresql_a_function_that_refuses_nothing_leaves_none():
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION countersign_written_once() RETURNS trigger "
            "LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
        )

    assert triggers.missing(connection) == triggers.expected(connection)
