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
from typing import Any

from dataflow.operators.node import Node, Rows
from dataflow.zset import Row

Paired = Callable[[Rows], list[tuple[Any, Row]]]


class Timed(Node):
    """`leaving`: `time > bound` (or >= if `closed`); otherwise `time < bound` (or <=)."""

    def __init__(
        self, inputs: Sequence[Node], pipes: Sequence[Paired], bound: Callable[[int], int], op: str, now: int
    ) -> None:
        super().__init__(inputs)
        self.pipes = tuple(pipes)
        self.bound = bound
        self.leaving = op[0] == ">"
        self.closed = op.endswith("=")
        self.limit = self._limit(now)
        self.queue: deque[tuple[int, Row]] = deque()
        self.late: list[tuple[int, int, Row]] = []
        self.serial = 0
        self.gone: dict[tuple[int, Row], int] = {}

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
        limit, queue, late, gone = self.limit, self.queue, self.late, self.gone
        found: list[Row] = []
        while queue and queue[0][0] < limit:
            entry = queue.popleft()
            if not gone or not self._was_gone(*entry):
                found.append(entry[1])
        while late and late[0][0] < limit:
            time, _, row = heappop(late)
            if not gone or not self._was_gone(time, row):
                found.append(row)
        return found

    def _inserted(self) -> Rows:
        found: list[Row] = []
        for node, run in zip(self.inputs, self.pipes, strict=True):
            if node.plus:
                pairs = run(node.plus)
                found += self._in_order(pairs) or self._one_by_one(pairs)
        return found

    def _in_order(self, pairs: list[tuple[Any, Row]]) -> list[Row]:
        """Take rows in order of time, after all others and after the bound, as they come from a log; or none."""
        times = [time for time, _ in pairs]
        if not times or None in times:
            return []
        last = self.queue[-1][0] if self.queue else self.limit
        if times[0] < last or not self.leaving or times != sorted(times):
            return []
        self.queue.extend(pairs)
        return [row for _, row in pairs]

    def _one_by_one(self, pairs: list[tuple[Any, Row]]) -> list[Row]:
        found: list[Row] = []
        limit, queue, leaving = self.limit, self.queue, self.leaving
        for time, row in pairs:
            if time is None:
                continue
            after = time >= limit
            if after and (not queue or time >= queue[-1][0]):
                queue.append((time, row))
            elif after:
                self.serial += 1
                heappush(self.late, (time, self.serial, row))
            if after == leaving:
                found.append(row)
        return found

    def _retracted(self) -> Rows:
        found: list[Row] = []
        for node, run in zip(self.inputs, self.pipes, strict=True):
            for time, row in run(node.minus) if node.minus else ():
                if time is None:
                    continue
                after = time >= self.limit
                if after:
                    self._forget(time, row)
                if after == self.leaving:
                    found.append(row)
        return found

    def _forget(self, time: int, row: Row) -> None:
        self.gone[time, row] = self.gone.get((time, row), 0) + 1
        if len(self.gone) * 2 > len(self.queue) + len(self.late):
            self.queue = deque(entry for entry in self.queue if not self._was_gone(*entry))
            self.late = [entry for entry in self.late if not self._was_gone(entry[0], entry[2])]
            heapify(self.late)

    def _was_gone(self, time: int, row: Row) -> bool:
        count = self.gone.get((time, row))
        if count is None:
            return False
        if count > 1:
            self.gone[time, row] = count - 1
        else:
            del self.gone[time, row]
        return True

    def due(self, now: int) -> bool:
        """Move the clock; whether a row enters or leaves by it, in the step to come."""
        limit = self.limit = self._limit(now)
        return bool((self.queue and self.queue[0][0] < limit) or (self.late and self.late[0][0] < limit))

    def rows(self) -> Iterable[Row] | None:
        if not self.leaving:
            return None
        left = dict(self.gone)
        found = []
        for time, row in [*self.queue, *((time, row) for time, _, row in self.late)]:
            if left.get((time, row)):
                left[time, row] -= 1
            else:
                found.append(row)
        return found

    def size(self) -> int:
        return len(self.queue) + len(self.late)
