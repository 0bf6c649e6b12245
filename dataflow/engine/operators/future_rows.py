"""The rows that a temporal filter's clock has yet to reach, by their times: they will leave, or they will enter.

Delta: `before(limit)` takes out the rows whose time the limit has passed, each as often as it is there.
State: two stores of one shape.

| store | for rows | kept as | a retracted row |
| --- | --- | --- | --- |
| `LoggedRows` | of the log: nearly in order, few retracted | a queue; a heap of late ones | is counted in `gone` |
| `ChangingRows` | of anything else | counts by time and row; a heap of the times | is freed at once |

A row counted in `gone` is freed when its time comes, or when half of all rows are such.
Order: `add` wants a time at or after the limit, and `remove` a row that is there. Rows come out in no particular order.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import chain, islice
from operator import itemgetter
from typing import Protocol

from dataflow.zset import Row

CHUNK = 512
NEVER = sys.maxsize


class FutureRows(Protocol):
    """Rows by their time, which is never NULL."""

    def extend(self, rows: list[Row], limit: int) -> bool:
        """Take rows all of which are at or after a limit, where that is quickly done; or none."""

    def add(self, row: Row, time: int) -> None: ...

    def remove(self, row: Row, time: int) -> None: ...

    def due(self, limit: int) -> bool:
        """Whether there are rows before a limit."""

    def before(self, limit: int) -> list[Row]:
        """Take these out."""

    def __iter__(self) -> Iterator[Row]: ...

    def __len__(self) -> int: ...

    def state(self) -> Iterable[object]: ...


class Queue:
    """Rows in order of the time at `at`, in chunks, so that many go at once. `first` and `last` are their times at both
    ends (of no rows: later and earlier than all). `tail` is the last chunk; it may hold `room` rows, 0 if it is empty.
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


class LoggedRows:
    """Rows of the log. `at` is the place of the time in a row."""

    def __init__(self, at: int) -> None:
        self._at = at
        self.queue = Queue(at)
        self.late: list[tuple[int, int, Row]] = []
        self.gone: dict[Row, int] = {}
        self._serial = 0
        self._gone = 0

    def extend(self, rows: list[Row], limit: int) -> bool:
        at = self._at
        times = [row[at] for row in rows]
        if None in times or times[0] < max(self.queue.last, limit) or times != sorted(times):
            return False
        self.queue.extend(rows)
        return True

    def add(self, row: Row, time: int) -> None:
        if time >= self.queue.last:
            self.queue.append(row, time)
        else:
            self._serial += 1
            heappush(self.late, (time, self._serial, row))

    def remove(self, row: Row, time: int) -> None:
        self.gone[row] = self.gone.get(row, 0) + 1
        self._gone += 1
        self._compact()

    def _compact(self) -> None:
        """Let retracted rows go where more than half of all are such."""
        if self._gone * 2 > len(self):
            self.queue = Queue(self._at, [kept for kept in self.queue if not self._was_gone(kept)])
            self.late = [entry for entry in self.late if not self._was_gone(entry[2])]
            heapify(self.late)
            self._serial = self._serial if self.late else 0

    def _was_gone(self, row: Row) -> bool:
        count = self.gone.get(row)
        if count is None:
            return False
        self._gone -= 1
        if count > 1:
            self.gone[row] = count - 1
        else:
            del self.gone[row]
        return True

    def due(self, limit: int) -> bool:
        return self.queue.first < limit or bool(self.late and self.late[0][0] < limit)

    def before(self, limit: int) -> list[Row]:
        late = self.late
        found = self.queue.before(limit) if self.queue.first < limit else []
        while late and late[0][0] < limit:
            found.append(heappop(late)[2])
        if self.gone:
            found = [row for row in found if not self._was_gone(row)]
            self._compact()
        return found

    def __iter__(self) -> Iterator[Row]:
        left = dict(self.gone)
        for row in chain(self.queue, (row for _, _, row in self.late)):
            if left.get(row):
                left[row] -= 1
            else:
                yield row

    def __len__(self) -> int:
        return len(self.queue) + len(self.late)

    def state(self) -> Iterable[object]:
        return self.queue, self.late, self.gone


class ChangingRows:
    """Rows that change. Each stands under its time, with how often it is there."""

    def __init__(self) -> None:
        self._rows: dict[int, dict[Row, int]] = {}
        self._times: list[int] = []
        """A heap of all times in `_rows`, and of some that have gone: half of them at most."""

    def extend(self, rows: list[Row], limit: int) -> bool:
        return False

    def add(self, row: Row, time: int) -> None:
        counts = self._rows.get(time)
        if counts is None:
            counts = self._rows[time] = {}
            heappush(self._times, time)
        counts[row] = counts.get(row, 0) + 1

    def remove(self, row: Row, time: int) -> None:
        counts = self._rows[time]
        if counts[row] > 1:
            counts[row] -= 1
            return
        del counts[row]
        if not counts:
            del self._rows[time]
            if len(self._times) > 2 * len(self._rows):
                self._times = list(self._rows)
                heapify(self._times)

    def due(self, limit: int) -> bool:
        while self._times and self._times[0] not in self._rows:
            heappop(self._times)
        return bool(self._times) and self._times[0] < limit

    def before(self, limit: int) -> list[Row]:
        passed: list[Row] = []
        while self.due(limit):
            counts = self._rows.pop(heappop(self._times))
            passed += (row for row, count in counts.items() for _ in range(count))
        return passed

    def __iter__(self) -> Iterator[Row]:
        return (row for counts in self._rows.values() for row, count in counts.items() for _ in range(count))

    def __len__(self) -> int:
        return sum(map(len, self._rows.values()))

    def state(self) -> Iterable[object]:
        return self._rows, self._times
