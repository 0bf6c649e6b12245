"""The drawing of a line chart, by QPainter.

Measured here with three lines of 100 points on 720 × 240: pyqtgraph costs 0.5 s of imports (with numpy) and
14 ms a frame, this about 1 ms and nothing to import: the first picture stands with the window, and a frame
stays free. The chart is kept as a picture and painted anew only when data, size or colours change; the
readout lies above it. A line wider than a pixel is drawn segment by segment: as one path, a jagged one takes
Qt fifty times as long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from itertools import pairwise
from time import perf_counter

from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
)
from PySide6.QtWidgets import QWidget

from gui.models.chart import Frame, frame, parted
from gui.models.scale import number_label
from gui.models.series import Line, nearest, step, thinned
from gui.text.values import Formatter, one_line
from gui.theme.theme import Theme
from gui.widgets.painting import Guarded

NAME = 240          # the widest name in the readout
LABEL = 15          # the least distance between two labels at the lines' ends
DENSE = 600         # from so many points on, a line is one pixel wide
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_CENTRE = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True)
class Chart:
    """What is drawn: lines by name, the role of each, and how x and y are shown."""

    lines: Mapping[str, Line] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    show_x: Formatter = str
    unit: str = ""
    zone: tzinfo | None = None      # None: x is a number


class Plot(Guarded, QWidget):
    """A line chart; the mouse or the arrow keys read it."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.chart = Chart()
        self.read_at: float | None = None       # the x that is read out
        self.cost_ms = 0.0                      # of the last drawing
        self._picture: QPixmap | None = None
        self._frame: Frame | None = None
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show_chart(self, chart: Chart) -> None:
        """Draw this from now on."""
        self.chart = chart
        self.restyle()

    def restyle(self) -> None:
        """What was drawn does not hold any more."""
        self._picture = None
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(480, 180)

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            ratio = self.devicePixelRatioF()
            if self._picture is None or self._picture.size() != self.size() * ratio:
                self._picture = self._draw(ratio)
            painter.drawPixmap(0, 0, self._picture)
            if self.read_at is not None and self._frame is not None:
                self._paint_readout(painter, self._frame, self.read_at)

    def _draw(self, ratio: float) -> QPixmap:
        started = perf_counter()
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(self.theme.color("card"))
        self._frame = self._fit()
        if self._frame is not None:
            with QPainter(picture) as painter:
                self._paint_axes(painter, self._frame)
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                for name, line in self.chart.lines.items():
                    self._paint_line(painter, self._frame, line, self._color(name))
                self._paint_ends(painter, self._frame)
        self.cost_ms = (perf_counter() - started) * 1000
        return picture

    def _fit(self) -> Frame | None:
        metrics = QFontMetricsF(self.theme.font("small"))
        size = (self.width(), self.height())
        return frame(self.chart.lines, size, metrics.horizontalAdvance, self.chart.zone)

    def _paint_axes(self, painter: QPainter, fit: Frame) -> None:
        painter.setFont(self.theme.font("small"))
        grid = QColor(self.theme.color("line"))
        for tick in fit.y_ticks:
            y = round(fit.y(tick.at))
            painter.fillRect(QRectF(fit.left, y, fit.right - fit.left, 1), grid)
            painter.setPen(self.theme.color("dim"))
            painter.drawText(QRectF(0, y - 9, fit.left - 10, 18), _RIGHT, tick.label)
        painter.setPen(self.theme.color("dim"))
        for tick in fit.x_ticks:
            x = fit.x(tick.at)
            painter.drawText(QRectF(x - 40, fit.bottom + 6, 80, 18), _CENTRE, tick.label)

    def _paint_line(self, painter: QPainter, fit: Frame, line: Line, color: QColor) -> None:
        columns = max(1, round(fit.right - fit.left))
        for run in line.runs():
            points = fit.points(thinned(run, fit.low_x, fit.high_x, columns))
            if len(points) == 1:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(color)
                painter.drawEllipse(QPointF(*points[0]), 1.5, 1.5)
            elif len(points) < DENSE:
                painter.setPen(QPen(color, 1.6))
                painter.drawLines([QLineF(*a, *b) for a, b in pairwise(points)])
            else:
                painter.setPen(QPen(color, 1))
                painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in points]))

    def _paint_ends(self, painter: QPainter, fit: Frame) -> None:
        """A dot at each line's end and its value beside it, moved apart where they would overlap."""
        ends = [(name, last) for name, line in self.chart.lines.items() if (last := line.last())]
        places = parted([fit.y(y) for _, (_, y) in ends], LABEL, fit.top, fit.bottom)
        for (name, (x, y)), place in zip(ends, places, strict=True):
            color = self._color(name)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            painter.drawEllipse(QPointF(fit.x(x), fit.y(y)), 3.2, 3.2)
            painter.setPen(color)
            painter.drawText(QRectF(fit.right + 9, place - 9, 80, 18), _LEFT, number_label(y, fit.decimals))

    def _paint_readout(self, painter: QPainter, fit: Frame, at: float) -> None:
        x = round(fit.x(at)) + 0.5
        painter.setPen(QPen(self.theme.color("faint"), 1))
        painter.drawLine(QPointF(x, fit.top), QPointF(x, fit.bottom))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        entries = [(name, line.at(at)) for name, line in self.chart.lines.items()]
        for name, value in entries:
            if value is not None:
                painter.setPen(QPen(self.theme.color("card"), 1.5))
                painter.setBrush(self._color(name))
                painter.drawEllipse(QPointF(x, fit.y(value)), 4, 4)
        self._paint_box(painter, fit, x, entries)

    def _paint_box(
        self, painter: QPainter, fit: Frame, x: float, entries: Sequence[tuple[str, float | None]]
    ) -> None:
        metrics = QFontMetricsF(self.theme.font("small"))
        most = max(2, int((fit.bottom - fit.top - 10) // 18) - 1)
        shown = entries if len(entries) <= most else entries[: most - 1]
        rows = [
            (metrics.elidedText(one_line(name), Qt.TextElideMode.ElideRight, NAME),
             "–" if value is None else self._shown(fit, value), self._color(name))
            for name, value in shown
        ]  # fmt: skip
        if len(shown) < len(entries):
            rows.append((f"{len(entries) - len(shown)} more", "", self.theme.color("line")))
        title = self.chart.show_x(self.read_at)
        need = max(metrics.horizontalAdvance(name + text) + 34 for name, text, _ in rows)
        width = max(need, metrics.horizontalAdvance(title)) + 20
        left = x + 12 if x + 12 + width <= self.width() else max(0.0, x - 12 - width)
        box = QRectF(left, fit.top, width, 18 * (len(rows) + 1) + 10)
        painter.setPen(QPen(self.theme.color("line"), 1))
        painter.setBrush(self.theme.color("background"))
        painter.drawRoundedRect(box, 4, 4)
        self._paint_entries(painter, box.adjusted(10, 5, -10, -5), title, rows)

    def _paint_entries(
        self, painter: QPainter, box: QRectF, title: str, rows: Sequence[tuple[str, str, QColor]]
    ) -> None:
        painter.setFont(self.theme.font("small"))
        painter.setPen(self.theme.color("dim"))
        painter.drawText(QRectF(box.left(), box.top(), box.width(), 18), _LEFT, title)
        for at, (name, text, color) in enumerate(rows, start=1):
            line = QRectF(box.left(), box.top() + 18 * at, box.width(), 18)
            painter.setPen(QPen(color, 2))
            y = line.center().y()
            painter.drawLine(QPointF(line.left(), y), QPointF(line.left() + 9, y))
            painter.setPen(self.theme.color("dim"))
            painter.drawText(line.adjusted(16, 0, 0, 0), _LEFT, name)
            painter.setPen(self.theme.color("text"))
            painter.drawText(line, _RIGHT, text)

    def _shown(self, fit: Frame, value: float) -> str:
        return f"{number_label(value, fit.decimals)} {self.chart.unit}".rstrip()

    def _color(self, name: str) -> QColor:
        return self.theme.color(self.chart.roles.get(name, "accent"))

    # Reading

    def read_out(self, x: float | None) -> None:
        """Show the values at the point nearest to x; None: at none."""
        at = None if x is None else nearest(self.chart.lines, x)
        if at != self.read_at:
            self.read_at = at
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        fit, x = self._frame, event.position().x()
        inside = fit is not None and fit.left - 8 <= x <= fit.right + 8
        self.read_out(fit.value_at(x) if inside and fit else None)

    def leaveEvent(self, event: QEvent) -> None:
        self.read_out(None)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.read_out(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        fit = self._frame
        if fit is None:
            super().keyPressEvent(event)
            return
        match event.key():
            case Qt.Key.Key_Left | Qt.Key.Key_Right as key:
                by = 1 if key == Qt.Key.Key_Right else -1
                here = self.read_at
                self.read_out(fit.high_x if here is None else step(self.chart.lines, here, by))
            case Qt.Key.Key_Home:
                self.read_out(fit.low_x)
            case Qt.Key.Key_End:
                self.read_out(fit.high_x)
            case Qt.Key.Key_Escape if self.read_at is not None:
                self.read_out(None)
            case _:
                super().keyPressEvent(event)
