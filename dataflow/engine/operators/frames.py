"""The values of window functions that look around: frames from one row to another, and ranks that hang on the
partition's size.

Delta, State and Order are those of `running.py`. A frame is a pair of distances from the row, in rows: (−1, 1) is the
row before to the row after; None has no bound. A change to the rows `first` to `last` reaches every row whose frame
touches them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any

from dataflow.engine.operators.running import Ordered, Values
from dataflow.engine.operators.window_folds import Fold
from dataflow.sql.plan.nodes import Bound


class Framed(Values):
    """`fold` of the rows from `start` to `end`, as distances."""

    def __init__(self, fold: Fold, start: int | None, end: int | None) -> None:
        super().__init__()
        self.fold, self.start, self.end = fold, start, end

    def span(self, first: int, last: int, size: int) -> tuple[int, int]:
        begin = 0 if self.end is None else first - max(self.end, 0)
        until = size if self.start is None else last - min(self.start, 0) + 1
        return begin, until

    def fill(self, part: Ordered, first: int, until: int) -> None:
        rows, start, end = part.rows, self.start, self.end
        for at in range(first, until):
            begin = 0 if start is None else max(at + start, 0)
            stop = len(rows) if end is None else min(max(at + end + 1, 0), len(rows))
            self.values[at] = self.fold(rows, begin, stop)


class Entire(Values):
    """`fold` of the whole partition."""

    def __init__(self, fold: Fold) -> None:
        super().__init__()
        self.fold = fold

    def span(self, first: int, last: int, size: int) -> tuple[int, int]:
        return 0, size

    def fill(self, part: Ordered, first: int, until: int) -> None:
        self.values[:] = [self.fold(part.rows, 0, len(part.rows))] * len(part.rows)


class ByPeers(Values):
    """`fold` of RANGE frames: from the first row (or, with `here`, the row's first peer) to its last peer (or, with
    `onward`, the last row).
    """

    def __init__(self, fold: Fold, *, here: bool, onward: bool) -> None:
        super().__init__()
        self.fold, self.here, self.onward = fold, here, onward

    def span(self, first: int, last: int, size: int) -> tuple[int, int]:
        return (0 if self.onward else first), (last + 1 if self.here else size)

    def fill(self, part: Ordered, first: int, until: int) -> None:
        rows, at = part.rows, first
        while at < until:
            stop = at + 1
            while stop < len(rows) and part.peer(stop, at):
                stop += 1
            begin, end = at if self.here else 0, len(rows) if self.onward else stop
            self.values[at:stop] = [self.fold(rows, begin, end)] * (stop - at)
            at = stop


class Ranged(Values):
    """`fold` of the rows whose value of `by` lies from `start` to `end` away from the row's. NULL and NaN are near
    none but their own kind.
    """

    def __init__(self, fold: Fold, by: int, start: Bound, end: Bound) -> None:
        super().__init__()
        self.fold, self.by, self.start, self.end = fold, by, start, end

    def span(self, first: int, last: int, size: int) -> tuple[int, int]:
        begin = first if self.end is not None and self.end <= 0 else 0
        return begin, (last + 1 if self.start is not None and self.start >= 0 else size)

    def fill(self, part: Ordered, first: int, until: int) -> None:
        keys, rows, at = part.keys, part.rows, first
        while at < until:
            own, value = keys[at][0], rows[at][self.by]
            apart = value is None or value != value  # noqa: PLR0124  (NaN)
            low, high = (own if apart else _moved(own, by or 0) for by in (self.start, self.end))
            begin = 0 if self.start is None else bisect_left(keys, low, key=_own)
            end = len(rows) if self.end is None else bisect_right(keys, high, key=_own)
            stop = bisect_right(keys, own, key=_own)
            self.values[at:stop] = [self.fold(rows, begin, max(begin, end))] * (stop - at)
            at = stop


def _own(key: tuple[Any, Any]) -> Any:
    return key[0]


def _moved(own: Any, by: float) -> Any:
    """The key of a value so far away: a key ends with its value, turned where the order is."""
    return (*own[:-1], own[-1] + by)


class Tiles(Values):
    """ntile: so many parts, the first ones longer by one where they cannot be equal."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def span(self, first: int, last: int, size: int) -> tuple[int, int]:
        return 0, size

    def fill(self, part: Ordered, first: int, until: int) -> None:
        size, longer = divmod(len(part.rows), self.count)
        edge = longer * (size + 1)
        for at in range(first, until):
            self.values[at] = at // (size + 1) + 1 if at < edge else longer + (at - edge) // size + 1


class Share(Values):
    """percent_rank, and with `peers` cume_dist: where the row stands, from 0 to 1."""

    def __init__(self, *, peers: bool) -> None:
        super().__init__()
        self.peers = peers

    def span(self, first: int, last: int, size: int) -> tuple[int, int]:
        return 0, size

    def fill(self, part: Ordered, first: int, until: int) -> None:
        size, at = len(part.rows), first
        while at < until:
            stop = at + 1
            while stop < size and part.peer(stop, at):
                stop += 1
            share = stop / size if self.peers else at / (size - 1) if size > 1 else 0.0
            self.values[at:stop] = [share] * (stop - at)
            at = stop
