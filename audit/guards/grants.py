"""What the application's role may do in PostgreSQL: insert into the record and read it, no more.

The role that the processes use is not the one that owns the tables. Here the owner sets what the
role may do, and anybody can ask whether it holds: also whether the role could help itself to more.
"""

from collections.abc import Iterator
from typing import Any

from django.db import DatabaseError, transaction
from django.db.migrations.recorder import MigrationRecorder

from audit.errors import AuditError
from audit.guards import tables

_MIGRATIONS = MigrationRecorder.Migration._meta.db_table
#: What changes or removes rows, and what would let somebody attach code to a table.
_FORBIDDEN = ["UPDATE", "DELETE", "TRUNCATE", "TRIGGER"]
_NEEDED = ["SELECT", "INSERT"]
#: Whoever is in one of these runs programs or writes files as the server, and so can do anything.
_MIGHTY = ["pg_execute_server_program", "pg_write_server_files"]
#: The role itself, and every role that it is a member of and can become.
_REACH = "reach AS (SELECT r.* FROM pg_roles r WHERE pg_has_role(%(role)s::name, r.oid, 'MEMBER'))"
_FEW = 3


class HardeningError(AuditError):
    """The roles or the database do not allow it; the text says what to do."""

    code = "hardening"


def present_role(connection: Any) -> str:
    """Return the role of a connection."""
    return str(_values(connection, "SELECT current_user")[0])


def harden(connection: Any, *, role: str) -> None:
    """Give the application's role exactly what it needs. The connection is the owner's.

    Tables that belong to the role are taken over first.

    Raises:
        HardeningError: there is no such role, it is the owner, or the owner may not do this.
    """
    if not _values(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", role):
        raise HardeningError(
            f"There is no role {role}, which DATABASE_URL names. Create it first: CREATE ROLE "
            f"{role} LOGIN PASSWORD '…'."
        )
    if role == present_role(connection):
        raise HardeningError(
            f"DATABASE_URL and DATABASE_OWNER_URL name the same role, {role}. The processes need "
            "one that does not own the tables."
        )
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            for statement in _statements(connection, role):
                cursor.execute(statement)
    except DatabaseError as error:
        raise HardeningError(
            f"The owner may not do this: {str(error).strip()}. Let DATABASE_OWNER_URL name the "
            "owner of the tables; to take tables over it must be a superuser, or a member of "
            f"{role} who may create in the schema."
        ) from error


def find_excess(connection: Any, *, role: str) -> list[str]:
    """Return, as sentences, what the role can do to the record beyond inserting and reading."""
    values = {"role": role, "mighty": _MIGHTY, "tables": tables.existing(connection)}
    mighty = _values(
        connection,
        f"WITH {_REACH} SELECT rolname FROM reach WHERE rolsuper OR rolcreaterole OR "  # noqa: S608  # nosec B608
        "rolreplication OR rolname = ANY(%(mighty)s) ORDER BY 1",
        values,
    )
    if mighty:
        return [
            f"The role {role} is or can become {', '.join(mighty)}, which may do anything: a "
            "superuser, or one that makes roles, replicates, or runs programs."
        ]
    return [*_owned(connection, role, values), *_granted(connection, role, values)]


def find_lack(connection: Any, *, role: str) -> list[str]:
    """Return, as sentences, what the role needs of the record and cannot do."""
    values = {"role": role, "wanted": _NEEDED, "tables": tables.existing(connection)}
    lacking = _values(
        connection,
        "SELECT DISTINCT t FROM unnest(%(tables)s::text[]) t, unnest(%(wanted)s::text[]) p "
        "WHERE NOT has_table_privilege(%(role)s::name, quote_ident(t), p) ORDER BY 1",
        values,
    )
    if not lacking:
        return []
    return [f"The role {role} cannot insert into or read {_listed(lacking)}."]


def _statements(connection: Any, role: str) -> Iterator[str]:
    quote = connection.ops.quote_name
    to = quote(role)
    known = sorted(connection.introspection.table_names())
    record = set(tables.record_tables())
    for table in _tables_of(connection, role):
        yield f"ALTER TABLE {quote(table)} OWNER TO CURRENT_USER"
    for function in _functions_of(connection, role):
        yield f"ALTER FUNCTION {quote(function)}() OWNER TO CURRENT_USER"
    [schema] = _values(connection, "SELECT current_schema()")
    yield f"GRANT USAGE ON SCHEMA {quote(schema)} TO {to}"
    yield f"REVOKE CREATE ON SCHEMA {quote(schema)} FROM {to}"
    for table in known:
        yield f"REVOKE ALL ON {quote(table)} FROM {to}, PUBLIC"
        if table in record:
            yield f"GRANT SELECT, INSERT ON {quote(table)} TO {to}"
        elif table == _MIGRATIONS:
            yield f"GRANT SELECT ON {quote(table)} TO {to}"
        else:
            yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {quote(table)} TO {to}"


def _tables_of(connection: Any, role: str) -> list[str]:
    return _values(
        connection,
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND "
        "relnamespace = current_schema()::regnamespace AND pg_get_userbyid(relowner) = %s",
        role,
    )


def _functions_of(connection: Any, role: str) -> list[str]:
    """Return the functions of triggers that the role owns: it could write them anew."""
    return _values(
        connection,
        "SELECT proname FROM pg_proc WHERE prorettype = 'trigger'::regtype AND "
        "pronamespace = current_schema()::regnamespace AND pg_get_userbyid(proowner) = %s",
        role,
    )


def _owned(connection: Any, role: str, values: dict[str, Any]) -> Iterator[str]:
    """An owner can grant itself everything; so can the owner of schema or database, or drop it."""
    owned = _values(
        connection,
        f"WITH {_REACH} "  # noqa: S608  # nosec B608
        "SELECT 'the table ' || relname FROM pg_class JOIN reach ON reach.oid = relowner "
        "WHERE relname = ANY(%(tables)s) AND relnamespace = current_schema()::regnamespace "
        "UNION SELECT 'the function ' || proname FROM pg_proc JOIN reach ON reach.oid = proowner "
        "WHERE prorettype = 'trigger'::regtype AND pronamespace = current_schema()::regnamespace "
        "UNION SELECT 'the schema ' || nspname FROM pg_namespace JOIN reach ON "
        "reach.oid = nspowner WHERE nspname = current_schema() "
        "UNION SELECT 'the database ' || datname FROM pg_database JOIN reach ON "
        "reach.oid = datdba WHERE datname = current_database() ORDER BY 1",
        values,
    )
    if owned:
        yield f"The role {role} owns {_listed(owned)}, or can become the owner."


def _granted(connection: Any, role: str, values: dict[str, Any]) -> Iterator[str]:
    for privilege in _FORBIDDEN:
        of_columns = (
            " OR has_any_column_privilege(reach.oid, c.oid, 'UPDATE')"
            if privilege == "UPDATE"
            else ""
        )
        found = _values(
            connection,
            f"WITH {_REACH} SELECT DISTINCT c.relname FROM pg_class c, reach WHERE "  # noqa: S608  # nosec B608
            "c.relname = ANY(%(tables)s) AND c.relnamespace = current_schema()::regnamespace AND "
            f"(has_table_privilege(reach.oid, c.oid, '{privilege}'){of_columns}) ORDER BY 1",
            values,
        )
        if found:
            yield f"The role {role} has {privilege} on {_listed(found)}."


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more


def _values(connection: Any, sql: str, *values: Any) -> list[Any]:
    """Return the first column of a query; values are positional, or one mapping."""
    given = values[0] if values and isinstance(values[0], dict) else list(values)
    with connection.cursor() as cursor:
        cursor.execute(sql, given or None)
        return [row[0] for row in cursor.fetchall()]
