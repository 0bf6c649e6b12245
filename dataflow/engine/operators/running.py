"""The values of window functions over one partition's rows, each kept for every row and told again from where it can
have changed.

`span` says which rows a change to the rows `first` to `last` can reach; `fill` tells their values again, its rows being
whole groups of peers (rows that are equal in the window's own order) wherever that matters. Source: SQL:2016, 4.16
"Window functions"; DuckDB's meaning for NULLs and NaN.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Protocol

from dataflow.sql.plan.nodes import WindowCall
from dataflow.sql.runtime.numbers import one_nan
from dataflow.zset import Row

Accumulator = tuple[Any, int]
EMPTY: Accumulator = (None, 0)
Add = Callable[[Accumulator, Row], Accumulator]


class Ordered(Protocol):
    """A partition's rows in order."""

    @property
    def rows(self) -> Sequence[Row]: ...

    @property
    def keys(self) -> Sequence[tuple[Any, Any]]:
        """By which the rows are sorted: first what the window orders by."""

    def peer(self, one: int, other: int) -> bool:
        """Whether the rows at two places are equal in the window's own order."""


class Values:
    """One function's values, a row each."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def insert(self, at: int) -> None:
        self.values.insert(at, None)

    def remove(self, at: int) -> None:
        del self.values[at]

    def span(self, first: int, last: int, size: int) -> tuple[int, int]:
        """The rows, from and up to, that a change to `first` … `last` can reach."""
        return first, size

    def fill(self, part: Ordered, first: int, until: int) -> None:
        raise NotImplementedError


class RowNumber(Values):
    def fill(self, part: Ordered, first: int, until: int) -> None:
        self.values[first:until] = range(first + 1, until + 1)


class Rank(Values):
    """`dense`: without gaps after peers."""

    def __init__(self, *, dense: bool) -> None:
        super().__init__()
        self.dense = dense

    def fill(self, part: Ordered, first: int, until: int) -> None:
        values = self.values
        for at in range(first, until):
            if at and part.peer(at, at - 1):
                values[at] = values[at - 1]
            else:
                values[at] = (values[at - 1] if at else 0) + 1 if self.dense else at + 1


class Shifted(Values):
    """lag (`by` > 0) and lead (`by` < 0): the value of the row so many places before."""

    def __init__(self, column: int, by: int, default: Any) -> None:
        super().__init__()
        self.column, self.by, self.default = column, by, default

    def span(self, first: int, last: int, size: int) -> tuple[int, int]:
        return first + min(self.by, 0), last + max(self.by, 0) + 1

    def fill(self, part: Ordered, first: int, until: int) -> None:
        rows, column, by = part.rows, self.column, self.by
        for at in range(first, until):
            there = 0 <= at - by < len(rows)
            self.values[at] = rows[at - by][column] if there else self.default


class Known(Values):
    """lag and lead that pass over NULLs."""

    def __init__(self, column: int, by: int, default: Any) -> None:
        super().__init__()
        self.column, self.by, self.default = column, by, default

    def span(self, first: int, last: int, size: int) -> tuple[int, int]:
        return (first, size) if self.by > 0 else (0, last + 1)

    def fill(self, part: Ordered, first: int, until: int) -> None:
        rows, column, most = part.rows, self.column, abs(self.by)
        back = range(first - 1, -1, -1) if self.by > 0 else range(until, len(rows))
        before = (value for at in back if (value := rows[at][column]) is not None)
        held = deque(reversed(list(islice(before, most))), most)
        for at in range(first, until) if self.by > 0 else range(until - 1, first - 1, -1):
            self.values[at] = held[0] if len(held) == most else self.default
            if rows[at][column] is not None:
                held.append(rows[at][column])


class First(Values):
    """first_value, where the frame begins with the partition."""

    def __init__(self, column: int) -> None:
        super().__init__()
        self.column = column

    def span(self, first: int, last: int, size: int) -> tuple[int, int]:
        return (0, size) if first == 0 else (first, last + 1)

    def fill(self, part: Ordered, first: int, until: int) -> None:
        if until > first:
            self.values[first:until] = [part.rows[0][self.column]] * (until - first)


class Running(Values):
    """An aggregate from the partition's beginning to the row; with `peers` to the last of its peers."""

    def __init__(self, add: Add, result: Callable[[Accumulator], Any], *, peers: bool) -> None:
        super().__init__()
        self.add, self.result, self.peers = add, result, peers
        self.sums: list[Accumulator] = []

    def insert(self, at: int) -> None:
        super().insert(at)
        self.sums.insert(at, EMPTY)

    def remove(self, at: int) -> None:
        super().remove(at)
        del self.sums[at]

    def fill(self, part: Ordered, first: int, until: int) -> None:
        add, result, sums, values, rows = self.add, self.result, self.sums, self.values, part.rows
        total = sums[first - 1] if first else EMPTY
        for at in range(first, until):
            sums[at] = total = add(total, rows[at])
            values[at] = result(total)
        if self.peers:
            for at in range(until - 2, first - 1, -1):
                if part.peer(at, at + 1):
                    values[at] = values[at + 1]


class Whole(Values):
    """An aggregate over the whole partition: no order, or a frame without bounds."""

    def __init__(self, add: Add, result: Callable[[Accumulator], Any]) -> None:
        super().__init__()
        self.add, self.result = add, result

    def span(self, first: int, last: int, size: int) -> tuple[int, int]:
        return 0, size

    def fill(self, part: Ordered, first: int, until: int) -> None:
        total = EMPTY
        for row in part.rows:
            total = self.add(total, row)
        self.values[:] = [self.result(total)] * len(part.rows)


class Sliding(Values):
    """An aggregate over the row and so many before it."""

    def __init__(self, add: Add, result: Callable[[Accumulator], Any], before: int) -> None:
        super().__init__()
        self.add, self.result, self.before = add, result, before

    def span(self, first: int, last: int, size: int) -> tuple[int, int]:
        return first, last + self.before + 1

    def fill(self, part: Ordered, first: int, until: int) -> None:
        for at in range(first, until):
            total = EMPTY
            for row in part.rows[max(0, at - self.before) : at + 1]:
                total = self.add(total, row)
            self.values[at] = self.result(total)


def running(call: WindowCall) -> Values:
    """A fresh partition's values for a call that `frames.py` does not have."""
    if call.kind == "row_number":
        return RowNumber()
    if call.kind in ("rank", "dense_rank"):
        return Rank(dense=call.kind == "dense_rank")
    if call.kind in ("lag", "lead"):
        kind = Known if call.known and call.offset else Shifted
        return kind(call.column, call.offset if call.kind == "lag" else -call.offset, call.default)
    if call.kind == "first_value":
        return First(call.column)
    add, result = adding(call), RESULTS[call.kind]
    if call.frame == "whole":
        return Whole(add, result)
    if call.frame == "sliding":
        return Sliding(add, result, call.offset)
    return Running(add, result, peers=call.frame == "peers")


def adding(call: WindowCall) -> Add:
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
