"""Triggers that refuse to change or to remove a row of the record, and, on PostgreSQL, to truncate.

Put in place after every migration, because SQLite loses them when a table is made anew. They stop
a mistake: an ``update()`` in a shell, a cascade, a clean-up script. Who owns the tables can drop
them; then ``missing`` says so.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.db import connections, transaction

from audit.guards import tables

_REASON = "rows of the record are written once"
_FUNCTION = "countersign_written_once"
#: What pg_trigger.tgtype says of a trigger: each row or once, BEFORE, and of which statements.
_ROW, _BEFORE, _DELETE, _UPDATE, _TRUNCATE = 1, 2, 8, 16, 32
_BODY = f"""
BEGIN
    RAISE EXCEPTION '% of %: {_REASON}', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END
"""


class Trigger(NamedTuple):
    """A trigger of ours: on which table, its name, and what it refuses."""

    table: str
    name: str
    refuses: str


def ensure(using: str, **_: Any) -> None:
    """Put every trigger in place after a migration (``post_migrate``)."""
    install(connections[using])


def install(connection: Any, lacking: list[Trigger] | None = None) -> list[Trigger]:
    """Put in place what is missing; return that. Needs the owner of the tables, if anything is.

    ``lacking`` is for who has just taken them away, and knows which.

    Raises:
        DatabaseError: this role does not own a table that lacks its trigger.
    """
    lacking = missing(connection) if lacking is None else lacking
    if lacking:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            for statement in _VENDORS[connection.vendor].create(connection, lacking):
                cursor.execute(statement)
    return lacking


def missing(connection: Any) -> list[Trigger]:
    """Return the triggers that are missing, disabled, or not as this release makes them."""
    wanted = expected(connection)
    if not wanted:
        return []
    with connection.cursor() as cursor:
        good = _VENDORS[connection.vendor].find(cursor)
    return [trigger for trigger in wanted if trigger not in good]


def expected(connection: Any) -> list[Trigger]:
    """Return every trigger that the tables in the database should have."""
    names = _VENDORS[connection.vendor].names
    return [
        Trigger(table=table, name=name.format(table=table), refuses=refuses)
        for table in tables.existing(connection)
        for name, refuses in names.items()
    ]


def dropping(connection: Any, trigger: Trigger) -> str:
    """Return the statement that takes a trigger away, if it is there."""
    quote = connection.ops.quote_name
    on = f" ON {quote(trigger.table)}" if connection.vendor == "postgresql" else ""
    return f"DROP TRIGGER IF EXISTS {quote(trigger.name)}{on}"


def _find_in_sqlite(cursor: Any) -> set[Trigger]:
    cursor.execute("SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'")
    return {
        Trigger(table, name, action)
        for table, name, sql in cursor.fetchall()
        for action in _SQLITE.values()
        if sql == _sqlite_trigger(table, name, action)
    }


def _create_in_sqlite(connection: Any, lacking: list[Trigger]) -> list[str]:
    statements = []
    for table, name, action in lacking:
        statements.append(f'DROP TRIGGER IF EXISTS "{name}"')
        statements.append(_sqlite_trigger(table, name, action))
    return statements


def _sqlite_trigger(table: str, name: str, action: str) -> str:
    return (
        f'CREATE TRIGGER "{name}" BEFORE {action} ON "{table}" '
        f"BEGIN SELECT RAISE(ABORT, '{action} of {table}: {_REASON}'); END"
    )


def _find_in_postgresql(cursor: Any) -> set[Trigger]:
    """Return the triggers that refuse every row, whatever the session's replication role is."""
    cursor.execute(
        "SELECT c.relname, t.tgname, t.tgtype, p.prosrc FROM pg_trigger t "
        "JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid "
        "WHERE NOT t.tgisinternal AND t.tgenabled = 'A' AND t.tgqual IS NULL "
        "AND t.tgattr = '' AND c.relnamespace = current_schema()::regnamespace"
    )
    kinds = {
        _ROW | _BEFORE | _UPDATE | _DELETE: "UPDATE OR DELETE",
        _BEFORE | _TRUNCATE: "TRUNCATE",
    }
    return {
        Trigger(table, name, kinds.get(kind, ""))
        for table, name, kind, body in cursor.fetchall()
        if body == _BODY
    }


def _create_in_postgresql(connection: Any, lacking: list[Trigger]) -> list[str]:
    quote = connection.ops.quote_name
    statements = [
        f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql "
        f"AS $body${_BODY}$body$"
    ]
    for table, name, refuses in lacking:
        each = "STATEMENT" if refuses == "TRUNCATE" else "ROW"
        statements += [
            f"CREATE OR REPLACE TRIGGER {name} BEFORE {refuses} ON {quote(table)} "
            f"FOR EACH {each} EXECUTE FUNCTION {_FUNCTION}()",
            # Also for a session that calls itself a replica, which others are not fired for.
            f"ALTER TABLE {quote(table)} ENABLE ALWAYS TRIGGER {name}",
        ]
    return statements


class _Vendor(NamedTuple):
    names: dict[str, str]
    find: Callable[[Any], set[Trigger]]
    create: Callable[[Any, list[Trigger]], list[str]]


#: Names of triggers, and what each refuses. In SQLite a name is unique in the whole database.
_SQLITE = {"{table}_no_update": "UPDATE", "{table}_no_delete": "DELETE"}
_POSTGRESQL = {"countersign_no_change": "UPDATE OR DELETE", "countersign_no_truncate": "TRUNCATE"}
_VENDORS = {
    "sqlite": _Vendor(_SQLITE, _find_in_sqlite, _create_in_sqlite),
    "postgresql": _Vendor(_POSTGRESQL, _find_in_postgresql, _create_in_postgresql),
}
