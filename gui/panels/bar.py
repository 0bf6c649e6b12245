"""The bar panel: horizontal bars in the query's order, the label at the left, the number at the right."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from dataflow.board import BarPanel
from dataflow.zset import Column, Row, Splice
from gui.models.bars import Bar as Entry
from gui.models.bars import Bars, Placed, lay_out
from gui.models.numbers import finite
from gui.panels.base import Panel
from gui.text.values import Formatter, formatter
from gui.theme.theme import Theme
from gui.widgets.painting import Guarded
from gui.widgets.plain import show_tip

THICK = 10
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Chart(Guarded, QWidget):
    """Paints the bars, and tells on hovering what was cut off."""

    def __init__(self, theme: Theme, role: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.role = role
        self.entries: list[Entry] = []
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def show_entries(self, entries: list[Entry]) -> None:
        """Draw these from now on."""
        if entries != self.entries:
            self.entries = entries
            self.update()

    def layout_now(self) -> Bars:
        """Where everything stands at the present size."""
        metrics = QFontMetricsF(self.theme.font("medium"))
        return lay_out(self.entries, self.width(), self.height(), metrics.horizontalAdvance)

    def sizeHint(self) -> QSize:
        return QSize(320, 180)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(event.rect(), self.theme.color("card"))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            bars = self.layout_now()
            for placed in bars.rows:
                self._paint_label(painter, placed, bars)
                self._paint_bar(painter, placed, bars.pitch)
            if bars.more:
                box = QRectF(0, len(bars.rows) * bars.pitch, self.width(), bars.pitch)
                painter.setFont(self.theme.font("small"))
                painter.setPen(self.theme.color("faint"))
                painter.drawText(box, _LEFT, f"+{bars.more} more")

    def _paint_label(self, painter: QPainter, placed: Placed, bars: Bars) -> None:
        row = QRectF(0, placed.top, self.width(), bars.pitch)
        pending, font = placed.bar.pending, self.theme.font("body")
        painter.setFont(font)
        painter.setPen(self.theme.color("pending" if pending else "dim"))
        words = QFontMetricsF(font).elidedText(placed.bar.label, Qt.TextElideMode.ElideRight, bars.label)
        painter.drawText(row, _LEFT, words)
        painter.setFont(self.theme.font("medium"))
        painter.setPen(self.theme.color("pending" if pending else "text"))
        painter.drawText(row, _RIGHT, placed.bar.text)

    def _paint_bar(self, painter: QPainter, placed: Placed, pitch: float) -> None:
        color = QColor(self.theme.color("pending" if placed.bar.pending else self.role))
        box = QRectF(
            placed.left, placed.top + (pitch - THICK) / 2, max(1.5, placed.right - placed.left), THICK
        )
        if placed.bar.value is None:
            painter.setPen(QPen(self.theme.color("line"), 1))
            painter.drawLine(QPointF(box.left(), box.center().y()), QPointF(box.left() + 8, box.center().y()))
            return
        painter.setPen(Qt.PenStyle.NoPen)
        color.setAlphaF(0.85)
        painter.setBrush(color)
        painter.drawRoundedRect(box, 2, 2)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._tip(event)
            return True
        return super().event(event)

    def _tip(self, event: QHelpEvent) -> None:
        bars = self.layout_now()
        at = int(event.pos().y() // bars.pitch)
        if 0 <= at < len(bars.rows):
            entry = bars.rows[at].bar
            show_tip(event.globalPos(), f"{entry.label}: {entry.text or 'unknown'}", self)
        else:
            QToolTip.hideText()


class Bar(Panel):
    """Bars of a live query."""

    spec: BarPanel

    def __init__(self, spec: BarPanel, theme: Theme, zone: ZoneInfo, parent: QWidget | None = None) -> None:
        super().__init__(spec, theme, zone, parent)
        self.chart = Chart(self.theme, spec.role, self)
        self.chart.setAccessibleName(spec.title)
        self.set_body(self.chart)
        self._columns: list[Column] = []
        self.say(spec.empty or "Nothing to count yet")

    def set_columns(self, name: str, columns: Sequence[Column]) -> None:
        self._columns = list(columns)

    def apply(self, name: str, splices: Sequence[Splice], rows: Sequence[Row]) -> None:
        entries = self._entries(rows)
        self.say(None if entries else self.spec.empty or "Nothing to count yet")
        self.chart.show_entries(entries)

    def _entries(self, rows: Sequence[Row]) -> list[Entry]:
        places = {column.name: at for at, column in enumerate(self._columns)}
        label, value, pending = (places.get(name) for name in (self.spec.label, self.spec.value, "pending"))
        if label is None or value is None:
            return []
        say, show = self._formatter(label, None), self._formatter(value, self.spec.format)
        return [
            Entry(
                say(row[label]) or "–",
                finite(row[value]),
                show(row[value]),
                pending is not None and row[pending] is True,
            )
            for row in rows
        ]

    def _formatter(self, at: int, format: str | None) -> Formatter:
        return formatter(self._columns[at].type, format, self.zone)
