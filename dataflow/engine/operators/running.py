"""The values of window functions whose frame begins with the partition, or with a row so many places before.

Delta: `span` says which rows' values a change to the rows `first` to `last` can reach; `fill` computes them again.
State: the values, a row each in the partition's order (`Running`: the accumulators beside them). They come and go with
the rows (`insert`, `remove`), and are freed with the partition.
Order: after rows were inserted or removed, and before values are read, the caller fills what `span` gave, widened to
whole groups of peers (rows that are equal in the window's own order). Source: SQL:2016, 4.16 "Window functions".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Protocol

from dataflow.engine.operators.window_folds import EMPTY, Accumulator, Add
from dataflow.zset import Row


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
