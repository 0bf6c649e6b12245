"""What window functions make of a frame's rows: aggregates, statistics, and the value of one row.

An `Accumulator` is an aggregate so far (None: of nothing yet) and how many values it is of; `make_adder` takes up one
row, RESULTS give the value. A `Fold` gives the value of the rows from one place up to another, and keeps nothing. NULLs
are passed over, NaN is above all numbers (DuckDB's meaning).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from dataflow.sql.plan.nodes import WindowCall
from dataflow.sql.runtime.numbers import one_nan
from dataflow.sql.runtime.statistics import deviation, quantile, variance
from dataflow.zset import Row

Accumulator = tuple[Any, int]
EMPTY: Accumulator = (None, 0)
Add = Callable[[Accumulator, Row], Accumulator]
Fold = Callable[[Sequence[Row], int, int], Any]


def make_adder(call: WindowCall) -> Add:
    """How the call's accumulator takes up a row."""
    column, where, take = call.column, call.where, TAKES[call.kind]

    def add(total: Accumulator, row: Row) -> Accumulator:
        if where >= 0 and row[where] is not True:
            return total
        if column < 0:
            return None, total[1] + 1
        value = row[column]
        return total if value is None else (take(total[0], value), total[1] + 1)

    return add


def _plus(total: Any, value: Any) -> Any:
    return value if total is None else total + value


def _most(total: Any, value: Any) -> Any:
    return value if total is None or value > total or value != value else total  # noqa: PLR0124  (NaN)


def _least(total: Any, value: Any) -> Any:
    return value if total is None or value < total or total != total else total  # noqa: PLR0124  (NaN)


def _last(total: Any, value: Any) -> Any:
    return value


def _sum(total: Accumulator) -> Any:
    return one_nan(total[0])


def _avg(total: Accumulator) -> Any:
    return one_nan(total[0] / total[1]) if total[1] else None


TAKES: dict[str, Callable[[Any, Any], Any]] = {
    "count": _last, "sum": _plus, "avg": _plus, "max": _most, "min": _least,
}  # fmt: skip
RESULTS: dict[str, Callable[[Accumulator], Any]] = {
    "count": lambda total: total[1], "sum": _sum, "avg": _avg,
    "max": lambda total: total[0], "min": lambda total: total[0],
}  # fmt: skip


def make_nth(column: int, index: int) -> Fold:
    """The value of a frame's row: 0 for the first, −1 for the last; NULL where there is none."""

    def fold(rows: Sequence[Row], begin: int, end: int) -> Any:
        at = begin + index if index >= 0 else end + index
        return rows[at][column] if begin <= at < end else None

    return fold


def make_nth_known(column: int, index: int) -> Fold:
    """As `make_nth`, of the rows whose value is not NULL."""

    def fold(rows: Sequence[Row], begin: int, end: int) -> Any:
        places = range(begin, end) if index >= 0 else range(end - 1, begin - 1, -1)
        known = (value for at in places if (value := rows[at][column]) is not None)
        return next(islice(known, max(index, 0), None), None)

    return fold


def make_aggregate(call: WindowCall) -> Fold:
    """An aggregate of a frame's rows."""
    add, result = make_adder(call), RESULTS[call.kind]

    def fold(rows: Sequence[Row], begin: int, end: int) -> Any:
        total = EMPTY
        for at in range(begin, end):
            total = add(total, rows[at])
        return result(total)

    return fold


STATISTICS: dict[str, Callable[[dict[Any, int], Any], Any]] = {
    "distinct": lambda values, _: len(values), "quantile": quantile, "variance": variance, "deviation": deviation,
}  # fmt: skip
"""Of all values of a frame, each with how often it is there, and the call's parameter."""


def make_statistic(call: WindowCall) -> Fold:
    column, where, measure = call.column, call.where, STATISTICS[call.kind]

    def fold(rows: Sequence[Row], begin: int, end: int) -> Any:
        values: dict[Any, int] = {}
        for at in range(begin, end):
            row = rows[at]
            value = row[column]
            if value is not None and (where < 0 or row[where] is True):
                values[value] = values.get(value, 0) + 1
        return measure(values, call.default)

    return fold
