"""Joins of two relations that may both change.

Delta: Δ(L ⋈ R) = ΔL ⋈ R + (L + ΔL) ⋈ ΔR, and for a left row beside its pairs:

| join | a left row is there | with |
| --- | --- | --- |
| inner | never | |
| left | while nothing matches it | NULLs |
| semi | while something matches it | nothing |
| anti | while nothing matches it | nothing |

State: both sides by key, each row with how often it is there, freed when it has gone; `loose`: left rows whose key is
NULL, of left, semi and anti joins. Such rows match nothing; of inner joins, and on the right, they are dropped.
Order: changes of the left side come first, then those of the right against the left side as it now is; inserts before
retractions on each side. Rows come out in no particular order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dataflow.engine.operators.node import Node, Rows
from dataflow.zset import Row

Paired = Callable[[Rows], list[tuple[Any, Row]]]
Side = dict[Any, dict[Row, int]]
Matches = dict[Any, dict[Row, list[int]]]


class Join(Node):
    """An inner join. `on` tests a pair of rows beyond its key; None if the key says all."""

    def __init__(
        self,
        left: tuple[Sequence[Node], Sequence[Paired]],
        right: tuple[Sequence[Node], Sequence[Paired]],
        on: Callable[[Row, Row], bool] | None,
    ) -> None:
        super().__init__([*left[0], *right[0]])
        self.left_pipes = list(zip(*left, strict=True))
        self.right_pipes = list(zip(*right, strict=True))
        self.on = on
        self.left: Side = {}
        self.right: Side = {}

    def step(self) -> None:
        plus: list[Row] = []
        minus: list[Row] = []
        for sign, out in ((1, plus), (-1, minus)):
            self._left_changes(collect_changes(self.left_pipes, sign), sign, out)
        for sign, out in ((1, plus), (-1, minus)):
            self._right_changes(collect_changes(self.right_pipes, sign), sign, out)
        self.plus, self.minus = plus, minus

    def _left_changes(self, pairs: Iterable[tuple[Any, Row]], sign: int, out: list[Row]) -> None:
        for key, row in pairs:
            if key is None:
                continue
            others = self.right.get(key)
            if others:
                _join_row(row, others, self.on, out)
            count_keyed(self.left, key, row, sign)

    def _right_changes(self, pairs: Iterable[tuple[Any, Row]], sign: int, out: list[Row]) -> None:
        on = self.on
        for key, row in pairs:
            if key is None:
                continue
            for other, count in self.left.get(key, {}).items():
                if on is None or on(other, row):
                    out.extend([other + row] * count)
            count_keyed(self.right, key, row, sign)

    def rows(self) -> Iterable[Row]:
        found: list[Row] = []
        for key, rows in self.left.items():
            others = self.right.get(key)
            if others:
                for row, count in rows.items():
                    for _ in range(count):
                        _join_row(row, others, self.on, found)
        return found

    def size(self) -> int:
        return sum(map(len, self.left.values())) + sum(map(len, self.right.values()))

    def state(self) -> Iterable[object]:
        return self.left, self.right


def collect_changes(pipes: list[tuple[Node, Paired]], sign: int) -> list[tuple[Any, Row]]:
    """What the inputs insert (`sign` 1) or retract (−1), each row with its key."""
    found: list[tuple[Any, Row]] = []
    for node, run in pipes:
        rows = node.plus if sign > 0 else node.minus
        if rows:
            found += run(rows)
    return found


def _join_row(row: Row, others: dict[Row, int], on: Callable[[Row, Row], bool] | None, out: list[Row]) -> None:
    for other, count in others.items():
        if on is None or on(row, other):
            out.extend([row + other] * count)


def count_keyed(side: Side, key: Any, row: Row, sign: int) -> None:
    """Count a row in or out; what is not there is not kept."""
    rows = side.get(key)
    if rows is None:
        rows = side[key] = {}
    count = rows.get(row, 0) + sign
    if count:
        rows[row] = count
        return
    del rows[row]
    if not rows:
        del side[key]


class Outer(Join):
    """Left, semi and anti joins: `kind` is one of these words, `width` that of a right row.

    Rows whose key is NULL are `loose`. A full join is a left join and an anti join the other way round.
    """

    def __init__(
        self,
        kind: str,
        left: tuple[Sequence[Node], Sequence[Paired]],
        right: tuple[Sequence[Node], Sequence[Paired]],
        on: Callable[[Row, Row], bool] | None,
        width: int,
    ) -> None:
        super().__init__(left, right, on)
        self.kind = kind
        self.joins = kind == "left"
        self.blank: Row = (None,) * width
        self.loose: dict[Row, int] = {}

    def step(self) -> None:
        plus: list[Row] = []
        minus: list[Row] = []
        for sign in (1, -1):
            for key, row in collect_changes(self.left_pipes, sign):
                self._left_change(key, row, sign, plus if sign > 0 else minus)
        for sign in (1, -1):
            for key, row in collect_changes(self.right_pipes, sign):
                self._right_change(key, row, sign, plus, minus)
        self.plus, self.minus = plus, minus

    def _left_change(self, key: Any, row: Row, sign: int, out: list[Row]) -> None:
        if key is None:
            count_row(self.loose, row, sign)
            self._alone(row, 1, out)
            return
        others = self.right.get(key, {})
        matches = self._matches(row, others)
        if self.joins:
            _join_row(row, others, self.on, out)
        self._alone(row, 1, out, matches)
        count_keyed(self.left, key, row, sign)

    def _alone(self, row: Row, count: int, out: list[Row], matches: int = 0) -> None:
        """What a left row gives beside its pairs."""
        if self.joins and not matches:
            out.extend([row + self.blank] * count)
        elif (self.kind == "semi" and matches) or (self.kind == "anti" and not matches):
            out.extend([row] * count)

    def _matches(self, row: Row, others: dict[Row, int]) -> int:
        if self.on is None:
            return len(others)
        return sum(1 for other in others if self.on(row, other))

    def _right_change(self, key: Any, row: Row, sign: int, plus: list[Row], minus: list[Row]) -> None:
        if key is None:
            return
        others = self.right.get(key, {})
        known = row in others
        first = sign > 0 and not known
        last = sign < 0 and others.get(row) == 1
        for left, count in self.left.get(key, {}).items():
            if self.on is not None and not self.on(left, row):
                continue
            if self.joins:
                (plus if sign > 0 else minus).extend([left + row] * count)
            if (first or last) and self._matches(left, others) == (0 if first else 1):
                self._turn(left, count, first, plus, minus)
        count_keyed(self.right, key, row, sign)

    def _turn(self, left: Row, count: int, matched: bool, plus: list[Row], minus: list[Row]) -> None:
        """A left row got its first match, or lost its last."""
        if self.joins:
            (minus if matched else plus).extend([left + self.blank] * count)
        elif (self.kind == "semi") == matched:
            plus.extend([left] * count)
        else:
            minus.extend([left] * count)

    def rows(self) -> Iterable[Row]:
        found: list[Row] = []
        for key, rows in self.left.items():
            others = self.right.get(key, {})
            for row, count in rows.items():
                if self.joins:
                    for _ in range(count):
                        _join_row(row, others, self.on, found)
                self._alone(row, count, found, self._matches(row, others))
        for row, count in self.loose.items():
            self._alone(row, count, found)
        return found


def count_row(rows: dict[Row, int], row: Row, sign: int) -> None:
    """Count a row in or out; what is not there is not kept."""
    count = rows.get(row, 0) + sign
    if count:
        rows[row] = count
    else:
        del rows[row]
