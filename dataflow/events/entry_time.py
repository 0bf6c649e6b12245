"""The times that an operator's own entries bring: they have passed, wherever the views' clock stands.

Cut off, the views' clock stands at what was last heard (`desk/sync_status.py`), so that nothing turns *late* by a clock
that runs on alone. An entry that is made meanwhile is later than that clock. A filter such as `time <= now()` would
hold it back until the log is reached again, and its operator would not see it. So its times know when it was made:
`EntryTime` is the integer that it is, and a temporal filter (`operators/temporal_filter.py`) lets it in where it had
passed at that moment.

What is computed from such a time by whole numbers (`+ INTERVAL`, `time_bucket`, `date_trunc` up to weeks) is one, too;
what the calendar computes (months, zones) is a plain time, which waits for the clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dataflow.zset import Row


class EntryTime(int):
    """Microseconds since 1970-01-01 UTC; `made` is the time by this desk's clock at which its entry was made."""

    made: int

    def __new__(cls, time: int, made: int) -> EntryTime:
        self = super().__new__(cls, time)
        self.made = made
        return self

    def __add__(self, other: int) -> Any:
        return self._kept(int.__add__(self, other))

    __radd__ = __add__

    def __sub__(self, other: int) -> Any:
        return self._kept(int.__sub__(self, other))

    def __mul__(self, other: int) -> Any:
        return self._kept(int.__mul__(self, other))

    def __floordiv__(self, other: int) -> Any:
        return self._kept(int.__floordiv__(self, other))

    def _kept(self, result: Any) -> Any:
        return result if result is NotImplemented else EntryTime(result, self.made)


def bring_times(row: Row, places: Sequence[int], made: int) -> Row:
    """The row of an entry that was made at a time: those of its times that had passed by then are `EntryTime`s."""
    cells = list(row)
    for at in places:
        time = cells[at]
        if time is not None and time <= made:
            cells[at] = EntryTime(time, made)
    return tuple(cells)
