"""Rows in order: a list kept sorted by key, with the positional changes (`Splice`) that bring a copy up to date.

Delta: a splice for each row; a row that comes in the place of one that goes is one splice with it. A batch that would
change much of the list is merged by sorting instead, and is one splice over the part that differs.
State: the rows and their keys, two lists in order. One change costs a binary search and a shift of pointers.
Order: that of the keys, which is total. The caller retracts only rows that are there, and gives no row on both sides.
Splices hold one after the other.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from dataflow.zset import Row, Splice, difference

FEW = 64
"""Up to so many changes, or an eighth of the rows, each is a splice of its own."""


class Sorted:
    """`key` orders rows totally: rows with equal keys are equal."""

    def __init__(self, key: Callable[[Row], Any]) -> None:
        self.key = key
        self.keys: list[Any] = []
        self.rows: list[Row] = []

    def change(self, plus: Sequence[Row], minus: Sequence[Row]) -> list[Splice]:
        """Apply a change in which no row stands on both sides."""
        if len(plus) + len(minus) <= max(FEW, len(self.rows) // 8):
            return self._each(plus, minus)
        return self._merge(plus, minus)

    def _each(self, plus: Sequence[Row], minus: Sequence[Row]) -> list[Splice]:
        """Row for row; one that goes and the one that comes in its place are one splice."""
        found: list[Splice] = []
        for old, new in zip(minus, plus, strict=False):
            gone, come = self._remove(old), self._insert(new)
            found += [Splice(come[0], 1, come.rows)] if gone[0] == come[0] else [gone, come]
        found += [self._remove(row) for row in minus[len(plus) :]]
        return found + [self._insert(row) for row in plus[len(minus) :]]

    def _insert(self, row: Row) -> Splice:
        key = self.key(row)
        at = bisect_right(self.keys, key)
        self.keys.insert(at, key)
        self.rows.insert(at, row)
        return Splice(at, 0, (row,))

    def _remove(self, row: Row) -> Splice:
        at = bisect_left(self.keys, self.key(row))
        del self.keys[at]
        del self.rows[at]
        return Splice(at, 1, ())

    def _merge(self, plus: Sequence[Row], minus: Sequence[Row]) -> list[Splice]:
        """All at once."""
        before, gone = self.rows, Counter(minus)
        pairs: list[tuple[Any, Row]] = []
        for key, row in zip(self.keys, before, strict=True):
            if gone.get(row):
                gone[row] -= 1
            else:
                pairs.append((key, row))
        pairs += [(self.key(row), row) for row in plus]
        pairs.sort(key=_first)
        self.keys = [key for key, _ in pairs]
        self.rows = [row for _, row in pairs]
        return difference(before, self.rows)


def _first(pair: tuple[Any, Row]) -> Any:
    return pair[0]
