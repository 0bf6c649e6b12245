"""Window functions: each row with what it is among the rows of its partition, in their order.

Delta: from the first row of a partition that a change can reach to the last, the rows as they were against the rows as
they are. So a row that comes last costs the same however many there are; one that comes first costs as much as there
are rows, unless `most` says that only the first ones are wanted.
State: by partition, the rows sorted, what each came out as, and the functions' values (`running.py`, `frames.py`). A
partition is freed with its last row.
Order: rows that are equal in the window's order stand in the order of their columns. Inserts go before retractions.
Rows come out in no particular order.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dataflow.engine.operators.node import Node, Rows, RowsFunction
from dataflow.engine.operators.running import Values
from dataflow.engine.operators.window_values import choose_values
from dataflow.sql.codegen.sort_keys import order_key, sort_key
from dataflow.sql.plan import nodes
from dataflow.zset import Row

Key = tuple[Any, Any]


class Partition:
    """Rows in order, their keys (the window's own order, then the row's columns), what each came out as (None: it did
    not), and the functions' values.
    """

    def __init__(self, calls: Sequence[Values]) -> None:
        self.keys: list[Key] = []
        self.rows: list[Row] = []
        self.outs: list[Row | None] = []
        self.calls = calls
        self._out = 0
        self._first, self._last = 0, -1

    def insert(self, key: Key, row: Row) -> None:
        at = bisect_right(self.keys, key)
        self.keys.insert(at, key)
        self.rows.insert(at, row)
        self.outs.insert(at, None)
        for call in self.calls:
            call.insert(at)
        self._out += 1
        self._last += at <= self._last
        self._touch(key, at)

    def remove(self, key: Key) -> Row | None:
        """Take a row out; what it came out as."""
        at = bisect_left(self.keys, key)
        out = self.outs[at]
        for listed in (self.keys, self.rows, self.outs):
            del listed[at]
        for call in self.calls:
            call.remove(at)
        self._touch(key, at)
        return out

    def _touch(self, key: Key, at: int) -> None:
        """Note a change at a place; all its peers may have another value."""
        first = bisect_left(self.keys, key[:1])
        self._first = min(self._first, first) if self._last >= 0 else first
        self._last = max(self._last, at)

    def peer(self, one: int, other: int) -> bool:
        same: bool = self.keys[one][0] == self.keys[other][0]
        return same

    def settle(self, most: int | None) -> tuple[list[Row], list[Row]]:
        """The rows that came and went since the last time. `most`: only so many come out, and the peers of the last."""
        size = len(self.rows)
        end = size if most is None else self._peers_end(min(most, size))
        spans = [call.span(self._first, self._last, size) for call in self.calls]
        first = self._peers_begin(max(0, min(begin for begin, _ in spans)))
        until = self._peers_end(min(end, max(end for _, end in spans)))
        for call in self.calls if first < until else ():
            call.fill(self, first, until)
        plus, minus = self._changed(first, until)
        minus += self._cut(end)
        self._first, self._last, self._out = 0, -1, end
        return plus, minus

    def _peers_begin(self, at: int) -> int:
        while 0 < at < len(self.rows) and self.peer(at, at - 1):
            at -= 1
        return at

    def _peers_end(self, at: int) -> int:
        while 0 < at < len(self.rows) and self.peer(at, at - 1):
            at += 1
        return at

    def _changed(self, first: int, until: int) -> tuple[list[Row], list[Row]]:
        plus: list[Row] = []
        minus: list[Row] = []
        rows, outs, values = self.rows, self.outs, [call.values for call in self.calls]
        for at in range(first, until):
            old, new = outs[at], rows[at] + tuple([each[at] for each in values])
            if new != old:
                if old is not None:
                    minus.append(old)
                plus.append(new)
                outs[at] = new
        return plus, minus

    def _cut(self, end: int) -> list[Row]:
        """Those rows that came out, and are beyond the last that may."""
        gone: list[Row] = []
        for at in range(end, min(self._out, len(self.outs))):
            out = self.outs[at]
            if out is not None:
                gone.append(out)
                self.outs[at] = None
        return gone


class Window(Node):
    """`order` is the window's own."""

    def __init__(self, inputs: Sequence[Node], functions: Sequence[RowsFunction], rel: nodes.Window) -> None:
        super().__init__(inputs)
        self.functions = tuple(functions)
        self.rel = rel
        self.own: Callable[[Row], Any] = sort_key(rel.order)
        self.parts: dict[Any, Partition] = {}
        self.touched: dict[Any, None] = {}

    def step(self) -> None:
        gone: list[Row] = []
        for node, run in zip(self.inputs, self.functions, strict=True):
            for row in run(node.plus) if node.plus else ():
                self._part(row).insert(self._key(row), row)
        for node, run in zip(self.inputs, self.functions, strict=True):
            for row in run(node.minus) if node.minus else ():
                out = self._part(row).remove(self._key(row))
                if out is not None:
                    gone.append(out)
        self.plus, self.minus = self._settled(gone)

    def _key(self, row: Row) -> Key:
        return self.own(row), tuple([order_key(value, False, False) for value in row])

    def _part(self, row: Row) -> Partition:
        key = tuple([row[at] for at in self.rel.partition])
        self.touched[key] = None
        part = self.parts.get(key)
        if part is None:
            part = self.parts[key] = Partition([choose_values(call) for call in self.rel.calls])
        return part

    def _settled(self, gone: list[Row]) -> tuple[Rows, Rows]:
        plus: list[Row] = []
        minus = gone
        for key in self.touched:
            part = self.parts[key]
            came, went = part.settle(self.rel.most)
            plus += came
            minus += went
            if not part.rows:
                del self.parts[key]
        self.touched.clear()
        return plus, minus

    def rows(self) -> Iterable[Row]:
        return [out for part in self.parts.values() for out in part.outs if out is not None]

    def size(self) -> int:
        return sum(len(part.rows) for part in self.parts.values())

    def state(self) -> Iterable[object]:
        return (self.parts,)
