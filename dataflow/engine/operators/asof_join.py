"""ASOF joins: each left row with the right row that is nearest by a value, such as the last price before a trade.

Delta: a left row that comes or goes brings its pair along. A right value that comes or goes changes the pairs of the
left rows between it and the next right value, and of no others: their nearest rows before and after the step are
compared.
State: both sides by key and value, each row with how often it is there, freed when it has gone; `loose`: left rows
without a key or value, kept for left joins only.
Order: NULL is near nothing, NaN is above all numbers. Of several right rows of one value, the last in the order of
their columns is taken (DuckDB takes any). Changes of the left side come first, as in `join.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sortedcontainers import SortedDict

from dataflow.engine.operators.join import Paired, collect_changes, count_row
from dataflow.engine.operators.node import Node
from dataflow.sql.codegen.sort_keys import order_key
from dataflow.sql.plan import nodes
from dataflow.sql.plan.types import FLOAT
from dataflow.zset import Row

Rows = dict[Row, int]
Side = dict[Any, SortedDict]
"""By key, by value: rows with how often each is there."""


class Gap(NamedTuple):
    """The values between two right ones, and whether its ends are among them. None: no end."""

    low: Any
    high: Any
    with_low: bool
    with_high: bool


class AsOf(Node):
    """`rel` says which column of each side is the value, and how the two compare."""

    def __init__(
        self,
        left: tuple[Sequence[Node], Sequence[Paired]],
        right: tuple[Sequence[Node], Sequence[Paired]],
        rel: nodes.AsOf,
    ) -> None:
        super().__init__([*left[0], *right[0]])
        self.left_pipes = list(zip(*left, strict=True))
        self.right_pipes = list(zip(*right, strict=True))
        self.outer = rel.kind == "left"
        self.left_at, self.right_at = rel.values
        self.earlier, self.equal = rel.op.startswith(">"), rel.op.endswith("=")
        self.float = rel.type == FLOAT
        self.blank: Row = (None,) * rel.widths[1]
        self.left: Side = {}
        self.right: Side = {}
        self.loose: Rows = {}

    def step(self) -> None:
        plus: list[Row] = []
        minus: list[Row] = []
        for sign, out in ((1, plus), (-1, minus)):
            for key, row in collect_changes(self.left_pipes, sign):
                self._change_left(key, row, sign, out)
        changed: dict[Any, set[Any]] = {}
        come, gone = (self._right_changes(sign, changed) for sign in (1, -1))
        gaps = [(key, gap) for key, values in changed.items() for gap in self._gaps(key, values)]
        before = [self._match_at(key, gap) for key, gap in gaps]
        for changes, sign in ((come, 1), (gone, -1)):
            for key, value, row in changes:
                _count(self.right, key, value, row, sign)
        for (key, gap), match in zip(gaps, before, strict=True):
            self._rematch(key, gap, match, plus, minus)
        self.plus, self.minus = plus, minus

    def _value(self, value: Any) -> Any:
        """As it sorts; None is near nothing."""
        if self.float and value is not None:
            return order_key(value, False, False)
        return value

    # the left side

    def _change_left(self, key: Any, row: Row, sign: int, out: list[Row]) -> None:
        value = self._value(row[self.left_at])
        if key is None or value is None:
            if self.outer:
                count_row(self.loose, row, sign)
                out.append(row + self.blank)
            return
        self._pair(row, 1, self._nearest(key, value), out)
        _count(self.left, key, value, row, sign)

    def _pair(self, row: Row, count: int, match: Row | None, out: list[Row]) -> None:
        if match is not None:
            out.extend([row + match] * count)
        elif self.outer:
            out.extend([row + self.blank] * count)

    def _nearest(self, key: Any, value: Any) -> Row | None:
        side = self.right.get(key)
        if side is None:
            return None
        if self.earlier:
            at = (side.bisect_right(value) if self.equal else side.bisect_left(value)) - 1
        else:
            at = side.bisect_left(value) if self.equal else side.bisect_right(value)
        return _last(side.peekitem(at)[1]) if 0 <= at < len(side) else None

    # the right side

    def _right_changes(self, sign: int, changed: dict[Any, set[Any]]) -> list[tuple[Any, Any, Row]]:
        """(key, value, row) of those that can be near something; their values are noted in `changed` by key."""
        found = []
        for key, row in collect_changes(self.right_pipes, sign):
            value = self._value(row[self.right_at])
            if key is not None and value is not None:
                found.append((key, value, row))
                changed.setdefault(key, set()).add(value)
        return found

    def _gaps(self, key: Any, values: set[Any]) -> list[Gap]:
        """Where left rows may get another match when these right values change: each from one of them to the next
        right value that there is now, without overlaps.
        """
        side, gaps, reached = self.right.get(key, SortedDict()), list[Gap](), None
        for value in sorted(values, reverse=not self.earlier):
            if gaps and (reached is None or (value < reached if self.earlier else value > reached)):
                continue
            at = side.bisect_right(value) if self.earlier else side.bisect_left(value) - 1
            reached = side.peekitem(at)[0] if 0 <= at < len(side) else None
            low, high = (value, reached) if self.earlier else (reached, value)
            gaps.append(Gap(low, high, self.earlier == self.equal, self.earlier != self.equal))
        return gaps

    def _match_at(self, key: Any, gap: Gap) -> Row | None:
        """The match of all left rows in a gap, before the step changes the right side."""
        side = self.right.get(key)
        if side is None:
            return None
        at = side.bisect_right(gap.low) - 1 if self.earlier else side.bisect_left(gap.high)
        return _last(side.peekitem(at)[1]) if 0 <= at < len(side) else None

    def _rematch(self, key: Any, gap: Gap, before: Row | None, plus: list[Row], minus: list[Row]) -> None:
        """Retract the pairs of a gap's left rows, and insert those with their match now, where it is another row."""
        side = self.left.get(key)
        if side is None:
            return
        for value in side.irange(gap.low, gap.high, (gap.with_low, gap.with_high)):
            match = self._nearest(key, value)
            if match != before:
                for row, count in side[value].items():
                    self._pair(row, count, match, plus)
                    self._pair(row, count, before, minus)

    # reading

    def rows(self) -> Iterable[Row]:
        found: list[Row] = []
        for key, side in self.left.items():
            for value, rows in side.items():
                match = self._nearest(key, value)
                for row, count in rows.items():
                    self._pair(row, count, match, found)
        for row, count in self.loose.items():
            self._pair(row, count, None, found)
        return found

    def size(self) -> int:
        sides = (*self.left.values(), *self.right.values())
        return len(self.loose) + sum(len(rows) for side in sides for rows in side.values())

    def state(self) -> Iterable[object]:
        return self.left, self.right, self.loose


def _count(side: Side, key: Any, value: Any, row: Row, sign: int) -> None:
    """Count a row in or out; what is not there is not kept."""
    values = side.get(key)
    if values is None:
        values = side[key] = SortedDict()
    rows = values.setdefault(value, {})
    count_row(rows, row, sign)
    if not rows:
        del values[value]
        if not values:
            del side[key]


def _last(rows: Rows) -> Row:
    """The last one in the order of all columns."""
    if len(rows) == 1:
        return next(iter(rows))
    return max(rows, key=lambda row: [order_key(value, False, False) for value in row])
