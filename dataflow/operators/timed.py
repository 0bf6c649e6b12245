"""Temporal filters: rows enter or leave by themselves as the clock moves.

A filter compares a row's time with a bound that never falls while the clock rises. `time > bound`: the row is in
from the start, or never, and leaves when the bound passes it. `time < bound`: the row waits until the bound passes
it, then is in for good. So all that will still change is held in order of time: rows that will leave, or rows that
will enter; in a queue as they come, and in a heap those that come late. Whether a row is in follows from its time
and the present bound alone; a retracted row is counted in `gone` and skipped when its time comes. Delta of a step:
the rows of the input that are in; of a move of the clock: the rows that the bound passed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from heapq import heapify, heappop, heappush

from dataflow.operators.node import Node, Rows, RowsFunction
from dataflow.zset import Row


class Timed(Node):
    """`leaving`: `time > bound` (or >= if `closed`); otherwise `time < bound` (or <=). `at` is the time's column."""

    def __init__(
        self,
        inputs: Sequence[Node],
        functions: Sequence[RowsFunction],
        at: int,
        bound: Callable[[int], int],
        op: str,
        now: int,
    ) -> None:
        super().__init__(inputs)
        self.functions = tuple(functions)
        self.at = at
        self.bound = bound
        self.leaving = op[0] == ">"
        self.closed = op.endswith("=")
        self.limit = self._limit(now)
        self.queue: deque[Row] = deque()
        self.late: list[tuple[int, int, Row]] = []
        self.serial = 0
        self.gone: dict[Row, int] = {}

    def _limit(self, now: int) -> int:
        """The least time that is in if rows leave, the least that is not if they enter."""
        return self.bound(now) + (self.closed != self.leaving)

    def step(self) -> None:
        passed = self._passed()
        plus, minus = self._inserted(), self._retracted()
        if passed:
            plus, minus = (plus, [*minus, *passed]) if self.leaving else ([*plus, *passed], minus)
        self.plus, self.minus = plus, minus

    def _passed(self) -> list[Row]:
        """The rows that the bound has passed since the last step."""
        limit, queue, late, gone, at = self.limit, self.queue, self.late, self.gone, self.at
        found: list[Row] = []
        while queue and queue[0][at] < limit:
            found.append(queue.popleft())
        while late and late[0][0] < limit:
            found.append(heappop(late)[2])
        return [row for row in found if not self._was_gone(row)] if gone else found

    def _inserted(self) -> Rows:
        found: list[Row] = []
        for node, run in zip(self.inputs, self.functions, strict=True):
            if node.plus:
                rows = run(node.plus)
                kept = rows if self._in_order(rows) else self._one_by_one(rows)
                found = found + kept if found else kept
        return found

    def _in_order(self, rows: list[Row]) -> bool:
        """Take rows in order of time, after all others and after the bound, as they come from a log; or none."""
        at = self.at
        times = [row[at] for row in rows]
        if not times or not self.leaving or None in times:
            return False
        last = self.queue[-1][at] if self.queue else self.limit
        if times[0] < last or times != sorted(times):
            return False
        self.queue.extend(rows)
        return True

    def _one_by_one(self, rows: list[Row]) -> list[Row]:
        found: list[Row] = []
        limit, queue, leaving, at = self.limit, self.queue, self.leaving, self.at
        for row in rows:
            time = row[at]
            if time is None:
                continue
            after = time >= limit
            if after and (not queue or time >= queue[-1][at]):
                queue.append(row)
            elif after:
                self.serial += 1
                heappush(self.late, (time, self.serial, row))
            if after == leaving:
                found.append(row)
        return found

    def _retracted(self) -> Rows:
        found: list[Row] = []
        for node, run in zip(self.inputs, self.functions, strict=True):
            for row in run(node.minus) if node.minus else ():
                time = row[self.at]
                if time is None:
                    continue
                after = time >= self.limit
                if after:
                    self._forget(row)
                if after == self.leaving:
                    found.append(row)
        return found

    def _forget(self, row: Row) -> None:
        self.gone[row] = self.gone.get(row, 0) + 1
        if len(self.gone) * 2 > len(self.queue) + len(self.late):
            self.queue = deque(kept for kept in self.queue if not self._was_gone(kept))
            self.late = [entry for entry in self.late if not self._was_gone(entry[2])]
            heapify(self.late)

    def _was_gone(self, row: Row) -> bool:
        count = self.gone.get(row)
        if count is None:
            return False
        if count > 1:
            self.gone[row] = count - 1
        else:
            del self.gone[row]
        return True

    def due(self, now: int) -> bool:
        """Move the clock; whether a row enters or leaves by it, in the step to come."""
        limit = self.limit = self._limit(now)
        return bool((self.queue and self.queue[0][self.at] < limit) or (self.late and self.late[0][0] < limit))

    def rows(self) -> Iterable[Row] | None:
        if not self.leaving:
            return None
        left = dict(self.gone)
        found = []
        for row in [*self.queue, *(row for _, _, row in self.late)]:
            if left.get(row):
                left[row] -= 1
            else:
                found.append(row)
        return found

    def size(self) -> int:
        return len(self.queue) + len(self.late)
