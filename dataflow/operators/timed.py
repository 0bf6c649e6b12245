"""Temporal filters: rows enter or leave by themselves as the clock moves.

A filter compares a row's time with a bound that never falls while the clock rises. `time > bound`: the row is in
from the start, or never, and leaves when the bound passes it. `time < bound`: the row waits until the bound passes
it, then is in for good. So all that will still change is held in order of time: rows that will leave, or rows that
will enter; in a queue as they come, and in a heap those that come late. Whether a row is in follows from its time
and the present bound alone; a retracted row is counted in `gone` and skipped when its time comes. Delta of a step:
the rows of the input that are in; of a move of the clock: the rows that the bound passed.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import chain, islice
from operator import itemgetter

from dataflow.operators.node import Node, Rows, RowsFunction
from dataflow.zset import Row

CHUNK = 512
NEVER = sys.maxsize


class Queue:
    """Rows in order of the time at `at`, in chunks, so that many go at once. `first` and `last` are the times of the
    first and the last one (where there is none: later and earlier than all); `tail` is the last chunk, and `room` how
    many rows it may hold, 0 where there is no row at all.
    """

    def __init__(self, at: int, rows: list[Row] | None = None) -> None:
        self.first, self.last, self.room = NEVER, -NEVER, 0
        self._at = at
        self._time = itemgetter(at)
        self.tail: list[Row] = []
        self._chunks: deque[list[Row]] = deque([self.tail])
        self._begin = 0
        if rows:
            self.extend(rows)

    def __len__(self) -> int:
        return sum(map(len, self._chunks)) - self._begin

    def __iter__(self) -> Iterator[Row]:
        return islice(chain.from_iterable(self._chunks), self._begin, None)

    def append(self, row: Row, time: int) -> None:
        """After all others."""
        if len(self.tail) >= CHUNK:
            self.tail = []
            self._chunks.append(self.tail)
        self.tail.append(row)
        self.last = time
        if not self.room:
            self.first, self.room = time, CHUNK

    def extend(self, rows: Sequence[Row]) -> None:
        """After all others; at least one."""
        if len(self.tail) >= CHUNK:
            self.tail = []
            self._chunks.append(self.tail)
        self.tail.extend(rows)
        self.last = rows[-1][self._at]
        if not self.room:
            self.first, self.room = rows[0][self._at], CHUNK

    def alone(self, limit: int) -> list[Row]:
        """Take out the first one, which is before a time, if the second one is not, and is at hand."""
        chunk, begin = self._chunks[0], self._begin + 1
        if begin >= len(chunk) or (time := chunk[begin][self._at]) < limit:
            return []
        self._begin, self.first = begin, time
        return [chunk[begin - 1]]

    def before(self, limit: int) -> list[Row]:
        """Take out those before a time, as the first one is."""
        found = self.alone(limit)
        while self.first < limit:
            chunk, begin = self._chunks[0], self._begin
            if chunk[-1][self._at] < limit:
                found += chunk[begin:] if begin else chunk
                self._drop()
            else:
                self._begin = bisect_left(chunk, limit, begin, key=self._time)
                found += chunk[begin : self._begin]
                self.first = chunk[self._begin][self._at]
        return found

    def _drop(self) -> None:
        """The first chunk, all of which has gone."""
        self._begin = 0
        if len(self._chunks) > 1:
            self._chunks.popleft()
            self.first = self._chunks[0][0][self._at]
        else:
            self.tail = self._chunks[0] = []
            self.first, self.last, self.room = NEVER, -NEVER, 0


class Timed(Node):
    """`leaving`: `time > bound` (or >=); otherwise `time < bound` (or <=). `at` is the time's column. `limit` is the
    least time that is in if rows leave, the least that is not if they enter.
    """

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
        self.beyond = int(op.endswith("=") != self.leaving)
        self.limit = bound(now) + self.beyond
        self.queue = Queue(at)
        self.late: list[tuple[int, int, Row]] = []
        self.serial = 0
        self.gone: dict[Row, int] = {}

    def step(self) -> None:
        passed = self.passed()
        plus, minus = self._inserted(), self._retracted()
        if passed:
            plus, minus = (plus, [*minus, *passed]) if self.leaving else ([*plus, *passed], minus)
        self.plus, self.minus = plus, minus

    def passed(self) -> list[Row]:
        """The rows that the bound has passed since the last step."""
        limit, late, gone = self.limit, self.late, self.gone
        found = self.queue.before(limit) if self.queue.first < limit else []
        while late and late[0][0] < limit:
            found.append(heappop(late)[2])
        return [row for row in found if not self._was_gone(row)] if gone else found

    def _inserted(self) -> Rows:
        found: list[Row] = []
        for node, run in zip(self.inputs, self.functions, strict=True):
            if node.plus:
                kept = self._entered(run(node.plus))
                found = found + kept if found else kept
        return found

    def take(self, rows: Rows) -> list[Row]:
        """Where there is one input: take up rows that came into it; those that are in."""
        return self._entered(self.functions[0](rows))

    def _entered(self, rows: list[Row]) -> list[Row]:
        return rows if self._in_order(rows) else self._one_by_one(rows)

    def _in_order(self, rows: list[Row]) -> bool:
        """Take rows in order of time, after all others and after the bound, as they come from a log; or none."""
        if not rows or not self.leaving:
            return False
        at = self.at
        times = [row[at] for row in rows]
        if None in times or times[0] < max(self.queue.last, self.limit) or times != sorted(times):
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
            if after and time >= queue.last:
                queue.append(row, time)
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
            self.queue = Queue(self.at, [kept for kept in self.queue if not self._was_gone(kept)])
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
        limit = self.limit = self.bound(now) + self.beyond
        return self.queue.first < limit or bool(self.late and self.late[0][0] < limit)

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

    def state(self) -> Iterable[object]:
        return self.queue, self.late, self.gone
