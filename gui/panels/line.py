"""The line panel: one line a series of a live query, mostly over time.

Series keep the colour that they got when they first appeared, so that a new one does not repaint the others.
A chart of so many points that drawing it would be felt is drawn less often; whoever looks at it by a picture
(`paintEvent`) gets it as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from zoneinfo import ZoneInfo

from PySide6.QtCore import QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget

from dataflow import board
from dataflow.board import LinePanel
from dataflow.zset import Column, Row, Splice
from gui.models.series import Line as Series
from gui.models.series import read
from gui.panels.base import Panel
from gui.panels.plot import Chart, Plot
from gui.text.values import formatter
from gui.theme.theme import Theme

ROLES = ("series1", "series2", "series3", "series4", "series5", "series6")
"""The roles of series in the order in which they appear; after the last the first comes again."""

X = ("timestamp", "int", "float")
Y = ("int", "float")
DEAR_MS = 5


class Line(Panel):
    """Lines, and their last values."""

    spec: LinePanel

    def __init__(self, spec: LinePanel, theme: Theme, zone: ZoneInfo, parent: QWidget | None = None) -> None:
        super().__init__(spec, theme, zone, parent)
        self.plot = Plot(self.theme, self)
        self.plot.setAccessibleName(spec.title)
        self.set_body(self.plot)
        self._add_unit()
        self._columns: list[Column] = []
        self._rows: list[Row] = []
        self._roles: dict[str, str] = {}
        self._stale = False
        self._pause = QTimer(self, singleShot=True)
        self._pause.timeout.connect(self._refresh)
        self.say(spec.empty or "Nothing to draw yet")

    def adopt(self, spec: board.Panel) -> None:
        super().adopt(spec)
        self._add_unit()

    def _add_unit(self) -> None:
        """The unit stands behind the title, unless it says it itself."""
        unit = self.spec.unit
        if unit and f"({unit})" not in self.spec.title:
            self.set_title(f"{self.spec.title} ({unit})")

    def set_columns(self, name: str, columns: Sequence[Column]) -> None:
        self._columns = list(columns)

    def apply(self, name: str, splices: Sequence[Splice], rows: Sequence[Row]) -> None:
        self._rows = list(rows)
        self._stale = True
        if not self._pause.isActive():
            self._refresh()

    def paintEvent(self, event: QPaintEvent) -> None:
        self._refresh()
        super().paintEvent(event)

    def _refresh(self) -> None:
        """Read the lines anew, if rows have changed. What takes long is done less often, never more than a tenth."""
        if not self._stale:
            return
        started = perf_counter()
        self._stale = False
        lines = self._read()
        self._give_roles(lines)
        drawn = any(series.last() for series in lines.values())
        self.say(None if drawn else self.spec.empty or "Nothing to draw yet")
        self.plot.show_chart(self._chart(lines))
        cost = (perf_counter() - started) * 1000 + self.plot.cost_ms
        if cost > DEAR_MS:
            self._pause.start(round(9 * cost))

    def restyle(self) -> None:
        super().restyle()
        self.plot.restyle()

    def lines(self) -> dict[str, Series]:
        """What is drawn, by name."""
        return dict(self.plot.chart.lines)

    def _read(self) -> dict[str, Series]:
        x, y = self._place(self.spec.x), self._place(self.spec.y)
        numbers = x is not None and y is not None and self._columns[x].type in X and self._columns[y].type in Y
        if x is None or y is None or not numbers:
            return {}
        lines = read(self._rows, x, y, self._place(self.spec.series))
        return dict(sorted(lines.items()))

    def _place(self, name: str | None) -> int | None:
        return next((at for at, column in enumerate(self._columns) if column.name == name), None)

    def _give_roles(self, lines: dict[str, Series]) -> None:
        for name in lines:
            self._roles.setdefault(name, ROLES[len(self._roles) % len(ROLES)])
        if self.spec.series and not self.spec.note:
            self.set_legend([(name, self._roles[name]) for name in lines])

    def _chart(self, lines: dict[str, Series]) -> Chart:
        types = {column.name: column.type for column in self._columns}
        timed = types.get(self.spec.x) == "timestamp"
        x_format = "%H:%M" if timed else None
        return Chart(
            lines=lines,
            roles=self._roles,
            show_x=formatter(types.get(self.spec.x, "float"), x_format, self.zone),
            unit=self.spec.unit or "",
            zone=self.zone if timed else None,
        )
