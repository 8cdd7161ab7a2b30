"""Many rows at once, new or changed, for the paths where thousands come: as `bulk_create`, for less.

`bulk_create` composes the text of one long statement anew each time and asks every field for every value. Here keys are
drawn first, so nothing has to come back, and the rows go through COPY on PostgreSQL and one prepared statement on
SQLite. `bulk_update` asks a CASE of as many branches for each column; here a column is an array (PostgreSQL).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

Reader = Callable[[Any, BaseDatabaseWrapper], Any]
_PLAIN = (str, int, bool, type(None))


def insert(rows: Sequence[models.Model]) -> None:
    """Write new rows of one model, inside the caller's transaction; they have their keys afterwards.

    Raises IntegrityError as `bulk_create` does. No signals are sent. What a row refers to has to be saved before.
    """
    if not rows:
        return
    model = type(rows[0])
    readers = _readers(model)
    with transaction.atomic(savepoint=False):
        for row, key in zip(rows, _keys(model, len(rows)), strict=True):
            row.pk = key
        database = connections[DEFAULT_DB_ALIAS]  # asked for once: the name is looked up each time
        values = [[read(row, database) for read in readers] for row in rows]
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                # The cursor's own methods have the driver's errors turned into Django's; this one has not.
                with (
                    connection.wrap_database_errors,
                    cursor.copy(f"COPY {_table(model)} ({_columns(model)}) FROM STDIN") as copy,
                ):
                    for line in values:
                        copy.write_row(line)
            else:
                marks = ", ".join(["%s"] * len(values[0]))
                cursor.executemany(
                    f"INSERT INTO {_table(model)} ({_columns(model)}) VALUES ({marks})",  # noqa: S608
                    values,
                )
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def update(rows: Sequence[models.Model], names: Collection[str], same: Mapping[str, Any] | None = None) -> None:
    """Write the columns `names` (attribute names) of these rows of one model, inside the caller's transaction.

    `same`: what stands in further columns of all of them; the rows in memory are not changed by it. No signals are
    sent. On PostgreSQL it is one statement: after the last of `executemany` the server would not begin to count the
    time for which a transaction idles, and what a frozen process has locked would stay locked.
    """
    if not rows:
        return
    model, database, same = type(rows[0]), connections[DEFAULT_DB_ALIAS], same or {}
    of = dict(zip(model._meta.concrete_fields, _readers(model), strict=True))
    fields = [model._meta.pk, *(field for field in of if field.attname in names)]
    readers = [of[field] for field in fields]
    columns = [database.ops.quote_name(str(field.column)) for field in fields]
    key, *others = columns
    fixed = {
        f"{database.ops.quote_name(str(field.column))} = %s": same[field.attname]
        for field in of
        if field.attname in same
    }
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Without the length of a text: a cast to it would cut what an assignment refuses.
            arrays = ", ".join(f"%s::{str(field.db_type(database)).partition('(')[0]}[]" for field in fields)
            changes = ", ".join([*fixed, *(f"{column} = new.{column}" for column in others)])
            cursor.execute(
                f"UPDATE {_table(model)} SET {changes} FROM unnest({arrays}) AS new ({', '.join(columns)})"  # noqa: S608
                f" WHERE {_table(model)}.{key} = new.{key}",
                [*fixed.values(), *([read(row, database) for row in rows] for read in readers)],
            )
        else:
            changes = ", ".join([*fixed, *(f"{column} = %s" for column in others)])
            cursor.executemany(
                f"UPDATE {_table(model)} SET {changes} WHERE {key} = %s",  # noqa: S608
                [[*fixed.values(), *(read(row, database) for read in (*readers[1:], readers[0]))] for row in rows],
            )


def _keys(model: type[models.Model], count: int) -> Sequence[int]:
    """The next keys of its table; nobody else gets them."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sequence = "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)"
            cursor.execute(sequence, [_table(model), model._meta.pk.column, count])  # type: ignore[union-attr]
            return [key for (key,) in cursor.fetchall()]
        # One writer at a time: within a transaction that writes nobody else can draw from it (transaction_mode).
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        found = cursor.fetchone()
        first = (found[0] if found else 0) + 1
        return range(first, first + count)


def _table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


@cache
def _columns(model: type[models.Model]) -> str:
    return ", ".join(connection.ops.quote_name(str(field.column)) for field in model._meta.concrete_fields)


@cache
def _readers(model: type[models.Model]) -> tuple[Reader, ...]:
    return tuple(map(_reader, model._meta.concrete_fields))


def _reader(field: models.Field[Any, Any]) -> Reader:
    """What the database is given for one column of a row."""
    name = field.attname
    as_it_is = isinstance(field, models.DateTimeField) and not (field.auto_now or field.auto_now_add)
    if type(field).pre_save is not models.Field.pre_save and not as_it_is:
        return lambda row, database: field.get_db_prep_save(field.pre_save(row, True), database)
    if isinstance(field, models.JSONField | models.DecimalField | models.BinaryField):
        return lambda row, database: field.get_db_prep_save(getattr(row, name), database)

    def read(row: Any, database: BaseDatabaseWrapper) -> Any:
        value = getattr(row, name)
        if type(value) in _PLAIN:
            return value
        if type(value) is datetime and value.tzinfo is not None:
            return database.ops.adapt_datetimefield_value(value)
        return field.get_db_prep_save(value, database)

    return read
