"""ORDER BY with LIMIT and OFFSET as a relation: the rows in the window, in and out as others come before them or go.

Delta: the window before against the window after, as multisets.
State: `entries`, the rows sorted, in short runs, so that a row costs the same wherever it comes and however many there
are; `shown`, the window. A row is freed when it goes. Where rows come straight from the log, a confirmed row never
goes, so beyond the window's end only pending rows can matter: of confirmed rows no more are kept than about twice what
the window reaches.
Order: the window's rows are told in no particular order; `rows` gives them in order. Inserts go before retractions.
Over the log the caller retracts no confirmed row: it asks `retracts` first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sortedcontainers import SortedKeyList

from dataflow.engine.operators.node import Node, Rows, RowsFunction, Source
from dataflow.zset import Row

Entry = tuple[Any, bool, Row]
FEW = 64
"""More rows at once are sorted in together."""


class Top(Node):
    """`limit` None: no end. `log`: rows come straight from the log."""

    def __init__(
        self,
        inputs: Sequence[Node],
        functions: Sequence[RowsFunction],
        key: Callable[[Row], Any],
        window: tuple[int, int | None],
        *,
        log: bool,
    ) -> None:
        super().__init__(inputs)
        self.functions = tuple(functions)
        self.key = key
        self.start, limit = window
        self.end = None if limit is None else self.start + limit
        self.log = log
        self.entries: SortedKeyList = SortedKeyList(key=_order)
        self.confirmed = 0
        self.shown: list[Row] = []

    def step(self) -> None:
        for node, run in zip(self.inputs, self.functions, strict=True):
            self._take(node, run)
        for node, run in zip(self.inputs, self.functions, strict=True):
            self._give(node, run)
        self._trim()
        after = [entry[2] for entry in self.entries.islice(self.start, self.end)]
        self.plus, self.minus = compare_rows(self.shown, after)
        self.shown = after

    def retracts(self) -> bool:
        return not self.log

    def _take(self, node: Node, run: RowsFunction) -> None:
        if self.log and isinstance(node, Source):
            self._insert(run(node.confirmed), held=False)
            self._insert(run(node.held), held=True)
        elif node.plus:
            self._insert(run(node.plus), held=False)

    def _give(self, node: Node, run: RowsFunction) -> None:
        if self.log and isinstance(node, Source):
            self._remove(run(node.released), held=True)
        elif node.minus:
            self._remove(run(node.minus), held=False)

    def _insert(self, rows: Rows, *, held: bool) -> None:
        if len(rows) > FEW:
            self.confirmed += 0 if held else len(rows)
            self.entries.update([(self.key(row), held, row) for row in rows])
            return
        for row in rows:
            entry = (self.key(row), held, row)
            if held or not self._is_behind(entry):
                self.confirmed += not held
                self.entries.add(entry)

    def _is_behind(self, entry: Entry) -> bool:
        """Whether a confirmed row can never come into the window: enough that never go are before it."""
        if not self.log or not self.entries or self.end is None or self.confirmed < self.end:
            return False
        return _order(entry) > _order(self.entries[-1])

    def _remove(self, rows: Rows, *, held: bool) -> None:
        for row in rows:
            self.entries.remove((self.key(row), held, row))
            self.confirmed -= not held

    def _trim(self) -> None:
        """Drop confirmed rows of the log that lie behind as many confirmed rows as the window reaches."""
        if not self.log or self.end is None or self.confirmed <= 2 * self.end + 64:
            return
        kept, count = [], 0
        for entry in self.entries:
            if not entry[1]:
                count += 1
                if count > self.end:
                    continue
            kept.append(entry)
        self.entries, self.confirmed = SortedKeyList(kept, key=_order), min(self.confirmed, self.end)

    def rows(self) -> Iterable[Row]:
        return list(self.shown)

    def size(self) -> int:
        return len(self.entries)

    def state(self) -> Iterable[object]:
        return list(self.entries), self.shown


def _order(entry: Entry) -> tuple[Any, bool]:
    return entry[0], entry[1]


def compare_rows(before: Sequence[Row], after: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """What came and what went, as multisets."""
    if before == after:
        return [], []
    left: dict[Row, int] = {}
    for row in before:
        left[row] = left.get(row, 0) + 1
    plus = []
    for row in after:
        count = left.get(row, 0)
        if count:
            left[row] = count - 1
        else:
            plus.append(row)
    return plus, [row for row, count in left.items() for _ in range(count)]
