"""SQL that is written once in the life of a process, for what every call of an agent does.

Django writes the SQL of a query and of an INSERT anew each time, which takes longer than PostgreSQL
needs to carry it out. Here too it is Django's own, made of the models, so that nothing can drift.
"""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import models, transaction
from django.db.models.query import get_related_populators
from django.db.transaction import TransactionManagementError

Row = TypeVar("Row", bound=models.Model)


def insert(row: models.Model) -> None:
    """Insert a new row, without signals; a key that the database gives is not read back."""
    connection = transaction.get_connection()
    sql, fields = _insertion(type(row))
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
    row._state.adding, row._state.db = False, connection.alias


@functools.cache
def _insertion(model: type[models.Model]) -> tuple[str, Sequence[Any]]:
    quote = transaction.get_connection().ops.quote_name
    every = model._meta.local_concrete_fields
    fields = [field for field in every if not isinstance(field, models.AutoField)]
    columns = ", ".join(quote(str(field.column)) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    # Every name in it is a model's own.
    sql = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608  # nosec B608
    return sql, fields


class Query(Generic[Row]):
    """A query for one row, by texts that are compared with text columns as they are.

    ``build`` makes the queryset, with related rows and annotations as usual; it is called once. The
    names of its parameters are the names of the texts.
    """

    def __init__(self, build: Callable[..., models.QuerySet[Row]]) -> None:
        self._build = build

    def get(self, **texts: str) -> Row | None:
        """Return the row for these texts, or None when there is none.

        Raises:
            TransactionManagementError: the query locks what it finds, outside a transaction.
        """
        connection, written = transaction.get_connection(), self._written
        if written.locks and not connection.in_atomic_block:
            raise TransactionManagementError("What this locks would be free again at once.")
        values = [texts[value] if isinstance(value, _Place) else value for value in written.values]
        with connection.cursor() as cursor:
            cursor.execute(written.sql, values)
            found = cursor.fetchone()
        return None if found is None else written.row(found, connection)

    @functools.cached_property
    def _written(self) -> "_Written[Row]":
        connection = transaction.get_connection()
        names = [*inspect.signature(self._build).parameters]
        query = self._build(**{name: _Place(name) for name in names}).query
        compiler = query.get_compiler(connection=connection)
        sql, values = compiler.as_sql()
        if set(names) != {value for value in values if isinstance(value, _Place)}:
            raise TypeError(f"Each of {names} must reach the database as it is: {sql}")
        columns, klass = compiler.select, compiler.klass_info
        own = slice(klass["select_fields"][0], klass["select_fields"][-1] + 1)
        return _Written(
            sql=sql,
            values=values,
            locks=query.select_for_update,
            model=klass["model"],
            own=own,
            fields=[column.target.attname for column, *_ in columns[own]],
            # The types describe a later Django, where this takes one argument more.
            related=get_related_populators(klass, columns, connection.alias),  # type: ignore[call-arg]
            annotations=compiler.annotation_col_map or {},
            converters=compiler.get_converters([column for column, *_ in columns]),
        )


class _Place(str):
    """Stands in the values of a query for the text of this name."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class _Written(Generic[Row]):
    """A query as Django wrote it, and how it makes a model of what comes back."""

    sql: str
    values: Sequence[Any]
    locks: bool
    model: type[Row]
    own: slice
    fields: Sequence[str]
    related: Sequence[Any]
    annotations: Mapping[str, int]
    converters: Mapping[int, Any]

    def row(self, found: Sequence[Any], connection: Any) -> Row:
        """Return the model, with its related rows and its annotations."""
        columns = list(found)
        for position, (converters, column) in self.converters.items():
            for convert in converters:
                columns[position] = convert(columns[position], column, connection)
        row = self.model.from_db(connection.alias, self.fields, columns[self.own])
        for related in self.related:
            related.populate(columns, row)
        for name, position in self.annotations.items():
            setattr(row, name, columns[position])
        return row
