"""SQL that is written once in the life of a process, for what every submission does.

Django writes an INSERT anew for every row, which takes longer than PostgreSQL needs to carry it
out. Here too it is Django's own, made of the models, so that nothing can drift.
"""

import functools
from collections.abc import Sequence
from typing import Any

from django.db import models, transaction


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
