"""Temporal filters: rows enter or leave by themselves as the clock moves.

A filter compares a row's time with a bound that never falls while the clock rises.

| filter | a row | kept until the bound passes it |
| --- | --- | --- |
| `time > bound` | is in from the start, or never; leaves when the bound passes it | the rows that are in |
| `time < bound` | waits until the bound passes it; then is in for good | the rows that wait |

Delta: of a step, the input's rows that are in; of a move of the clock, the rows that the bound passed. Whether a row is
in follows from its time and the present bound alone. A row without a time (NULL) never is.
State: `future`, the rows that the bound has yet to pass (`future_rows.py`), freed when it does or they are retracted.
`early`, where rows enter: rows of own entries (`events/entry_time.py`), whose time is compared with the bound as it was
just after the entry was made. They are in before the clock comes to them, and counted in `early` until then.
Order: `due` moves the bound; the step after it tells the rows that it passed. Rows come out in no particular order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from dataflow.engine.operators.future_rows import ChangingRows, FutureRows, LoggedRows
from dataflow.engine.operators.node import Node, Rows, RowsFunction
from dataflow.events.entry_time import EntryTime
from dataflow.zset import Row


class TemporalFilter(Node):
    """`leaving`: `time > bound` (or >=); otherwise `time < bound` (or <=). `at` is the time's column. `limit` is the
    least time that is in if rows leave, the least that is not if they enter. `log`: rows come straight from the log.
    """

    def __init__(
        self,
        inputs: Sequence[Node],
        functions: Sequence[RowsFunction],
        at: int,
        bound: Callable[[int], int],
        op: str,
        now: int,
        *,
        log: bool,
    ) -> None:
        super().__init__(inputs)
        self.functions = tuple(functions)
        self.at = at
        self.bound = bound
        self.leaving = op[0] == ">"
        self.beyond = int(op.endswith("=") != self.leaving)
        self.limit = bound(now) + self.beyond
        self.future: FutureRows = LoggedRows(at) if log else ChangingRows()
        self.early: dict[Row, int] = {}

    def step(self) -> None:
        passed = self.passed()
        plus, minus = self._inserted(), self._retracted()
        if passed:
            plus, minus = (plus, [*minus, *passed]) if self.leaving else ([*plus, *passed], minus)
        self.plus, self.minus = plus, minus

    def passed(self) -> list[Row]:
        """Take out the rows that the bound has passed since the last step."""
        return self.future.before(self.limit)

    def _inserted(self) -> Rows:
        entered: list[Row] = []
        for node, run in zip(self.inputs, self.functions, strict=True):
            if node.plus:
                kept = self._entered(run(node.plus))
                entered = entered + kept if entered else kept
        return entered

    def take(self, rows: Rows) -> list[Row]:
        """Take up rows that came, where there is one input; return those that are in."""
        return self._entered(self.functions[0](rows))

    def _entered(self, rows: list[Row]) -> list[Row]:
        if rows and self.leaving and self.future.extend(rows, self.limit):
            return rows
        entered: list[Row] = []
        limit, add, leaving, at = self.limit, self.future.add, self.leaving, self.at
        for row in rows:
            time = row[at]
            if time is None:
                continue
            after = time >= limit
            if after:
                if not leaving and type(time) is EntryTime and time < self.bound(time.made + 1) + self.beyond:
                    self.early[row] = self.early.get(row, 0) + 1
                    entered.append(row)
                    continue
                add(row, time)
            if after == leaving:
                entered.append(row)
        return entered

    def _retracted(self) -> Rows:
        left: list[Row] = []
        limit, remove, leaving, at = self.limit, self.future.remove, self.leaving, self.at
        for node, run in zip(self.inputs, self.functions, strict=True):
            for row in run(node.minus) if node.minus else ():
                time = row[at]
                if time is None:
                    continue
                after = time >= limit
                if after:
                    if self.early and self._was_early(row):
                        left.append(row)
                        continue
                    remove(row, time)
                if after == leaving:
                    left.append(row)
        return left

    def _was_early(self, row: Row) -> bool:
        count = self.early.pop(row, 0)
        if count > 1:
            self.early[row] = count - 1
        return count > 0

    def due(self, now: int) -> bool:
        """Move the clock. Return whether a row enters or leaves by it, in the step to come."""
        self.limit = self.bound(now) + self.beyond
        if self.early:
            self.early = {row: count for row, count in self.early.items() if row[self.at] >= self.limit}
        return self.future.due(self.limit)

    def rows(self) -> Iterable[Row] | None:
        return list(self.future) if self.leaving else None

    def size(self) -> int:
        return len(self.future) + len(self.early)

    def state(self) -> Iterable[object]:
        return *self.future.state(), self.early
