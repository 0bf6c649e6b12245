"""Temporal filters: rows enter or leave by themselves as the clock moves.

A filter compares a row's time with a bound that never falls while the clock rises. `time > bound`: the row is in
from the start, or never, and leaves when the bound passes it. `time < bound`: the row waits until the bound passes
it, then is in for good. So one heap by time holds all that will still change: rows that will leave, or rows that
will enter. Whether a row is in follows from its time and the present bound alone; a retracted row is counted in
`gone` and skipped when its time comes. Delta of a step: the rows of the input that are in; of a move of the clock:
the rows that the bound passed.
"""

from __future__ import annotations

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
        self.heap: list[tuple[int, int, Row]] = []
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
        limit, heap, found = self.limit, self.heap, []
        while heap and heap[0][0] < limit:
            entry = heappop(heap)
            if not self._was_gone(entry):
                found.append(entry[2])
        return found

    def _inserted(self) -> Rows:
        found: list[Row] = []
        limit, heap, serial, leaving = self.limit, self.heap, self.serial, self.leaving
        for node, run in zip(self.inputs, self.pipes, strict=True):
            for time, row in run(node.plus) if node.plus else ():
                if time is None:
                    continue
                after = time >= limit
                if after:
                    serial += 1
                    heappush(heap, (time, serial, row))
                if after == leaving:
                    found.append(row)
        self.serial = serial
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
        if len(self.gone) * 2 > len(self.heap):
            self.heap = [entry for entry in self.heap if not self._was_gone(entry)]
            heapify(self.heap)

    def _was_gone(self, entry: tuple[int, int, Row]) -> bool:
        if not self.gone:
            return False
        key = (entry[0], entry[2])
        count = self.gone.get(key)
        if count is None:
            return False
        if count > 1:
            self.gone[key] = count - 1
        else:
            del self.gone[key]
        return True

    def due(self, now: int) -> bool:
        """Move the clock; whether a row enters or leaves by it, in the step to come."""
        self.limit = self._limit(now)
        return bool(self.heap) and self.heap[0][0] < self.limit

    def rows(self) -> Iterable[Row] | None:
        if not self.leaving:
            return None
        left = dict(self.gone)
        found = []
        for time, _, row in self.heap:
            if left.get((time, row)):
                left[time, row] -= 1
            else:
                found.append(row)
        return found

    def size(self) -> int:
        return len(self.heap)
