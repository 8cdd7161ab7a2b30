"""Queries that are composed once and asked many times with other values, for the paths where thousands come.

Of a small query most of the time goes into composing its text, the same each time but for the values. Here the text is
kept, and the values are put into their places.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection, connections
from django.db.models import QuerySet
from django.db.transaction import TransactionManagementError

Row = TypeVar("Row")
Value = int | str | Sequence[int] | Sequence[str]

LENGTH = 128
"""Values in one sequence: with more of them the composing is the smaller part."""
_FIRST = 2_147_400_000
"""Stands in for an integer while a text is composed: within every integer column, and no number that a query names."""


@dataclass(frozen=True, slots=True)
class _Plan:
    rows: QuerySet[Any]
    compiler: Any
    sql: str
    params: tuple[Any, ...]
    converters: dict[int, Any]
    places: tuple[tuple[int, int, type], ...]
    """Where in `params` which value goes, and as which type: drivers know integers of several sizes."""


class Composed(Generic[Row]):
    """A query as a function of its values.

    `build` makes the queryset from integers, strings and sequences of them. It hands them to lookups as they are, each
    in a lookup of a column of its own type, sequences to `__in`, and asks nothing that changes (the time, the
    language): a text that was composed for one call serves all others.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Row]]) -> None:
        self._build = build
        self._plans: dict[tuple[Any, ...], _Plan | None] = {}

    def __call__(self, *values: Value) -> list[Row]:
        """The rows with these values, read anew each time. Raises whatever the database raises."""
        if any(not isinstance(value, int | str) and len(value) > LENGTH for value in values):
            return list(self._build(*values))
        values = tuple(value if isinstance(value, int | str) else _padded(value) for value in values)
        flat = [each for value in values for each in ((value,) if isinstance(value, int | str) else value)]
        shape = (connection.vendor, *(-1 if isinstance(value, int | str) else len(value) for value in values))
        if shape not in self._plans:
            self._plans[shape] = self._compose(values, flat)
        plan = self._plans[shape]
        return list(_asked(plan, flat)) if plan else []

    def _compose(self, values: Sequence[Value], flat: Sequence[int | str]) -> _Plan | None:
        """None for a query that finds nothing whatever the values are, as with an empty sequence."""
        stands = [_FIRST + n if isinstance(each, int) else f"\ue000{_FIRST + n}" for n, each in enumerate(flat)]
        rest = iter(stands)
        rows = self._build(
            *(next(rest) if isinstance(value, int | str) else [next(rest) for _ in value] for value in values)
        )
        compiler = rows.query.get_compiler(using=rows.db)
        try:
            sql, params = compiler.as_sql()
        except EmptyResultSet:
            return None
        places = tuple(
            (place, stands.index(param), type(param)) for place, param in enumerate(params) if param in stands
        )
        if {number for _place, number, _type in places} != set(range(len(flat))):
            raise ValueError("a value of this query does not reach the database as it is")
        converters = compiler.get_converters([column for column, *_ in compiler.select[: compiler.col_count]])
        return _Plan(rows, compiler, sql, tuple(params), converters, places)


def _padded(values: Sequence[Any]) -> Sequence[Any]:
    """The last one repeated up to a power of two: few lengths are few texts, and `__in` finds the same."""
    if not values:
        return ()
    return [*values, *[values[-1]] * ((1 << (len(values) - 1).bit_length()) - len(values))]


def _asked(plan: _Plan, flat: Sequence[int | str]) -> QuerySet[Any, Any]:
    """The queryset of this plan, unread: what it would compose is there already."""
    if plan.rows.query.select_for_update and connections[plan.rows.db].get_autocommit():
        raise TransactionManagementError("rows are locked within a transaction")
    params = list(plan.params)
    for place, number, typed in plan.places:
        params[place] = typed(flat[number])
    compiler = copy(plan.compiler)
    compiler.connection = connections[plan.rows.db]
    compiler.as_sql = lambda *_args, **_kwargs: (plan.sql, tuple(params))
    compiler.get_converters = lambda _columns: plan.converters
    query = copy(plan.rows.query)
    query.get_compiler = lambda *_args, **_kwargs: compiler  # type: ignore[method-assign]
    rows = type(plan.rows)(plan.rows.model, query, plan.rows.db)
    for name in ("_iterable_class", "_fields", "_prefetch_related_lookups", "_known_related_objects"):
        setattr(rows, name, getattr(plan.rows, name))
    return rows
