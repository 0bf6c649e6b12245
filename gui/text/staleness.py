"""How old a panel's newest row is, where the board says how old it may be (`stale_after`). Pure, no Qt."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from dataflow.board import DataPanel, PanelBase, stale_column
from dataflow.boards.durations import read_duration
from dataflow.zset import Column, Splice

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


class Staleness:
    """`newest` is the time of the newest row that there was, in µs; None before there was one.

    A row that is gone is still known to have been there: a result that has become empty is as old as its last row.
    """

    def __init__(self, panel: PanelBase) -> None:
        self.newest: int | None = None
        self._after: int | None = None
        self._column = ""
        if isinstance(panel, DataPanel) and panel.stale_after is not None:
            self._after, self._column = read_duration(panel.stale_after), stale_column(panel)
        self._at: int | None = None

    @property
    def tells(self) -> bool:
        """Whether the board says how old a row may be."""
        return self._after is not None

    def set_columns(self, columns: Sequence[Column]) -> None:
        """The columns of what is taken from now on."""
        names = [column.name for column in columns]
        wanted = self._after is not None and self._column in names
        self._at = names.index(self._column) if wanted else None

    def take(self, splices: Sequence[Splice]) -> None:
        """Rows came; those that went do not matter."""
        if self._at is None:
            return
        times = map(itemgetter(self._at), (row for splice in splices for row in splice.rows))
        came = max((time for time in times if isinstance(time, int)), default=None)
        if came is not None and (self.newest is None or came > self.newest):
            self.newest = came

    def words(self, now: int) -> str:
        """"No data for 12 min" at a time in µs; nothing where the newest row is new enough."""
        if self._after is None:
            return ""
        if self.newest is None:
            return "No data yet"
        age = now - self.newest
        return f"No data for {span_text(age)}" if age > self._after else ""


def span_text(us: int) -> str:
    """"45 s", "12 min", "3 h", "2 d": whole units of the largest that is at least one, hours and days from two on."""
    seconds = us // 1_000_000
    size, unit = next((size, unit) for size, unit in _UNITS if seconds >= size * (2 if size > 60 else 1) or size == 1)
    return f"{seconds // size} {unit}"
