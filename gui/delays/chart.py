"""The histogram of delays, and how the stages share in them: painted by hand, in the theme's roles."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QFocusEvent, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from dataflow.session import DelayReport, StageDelay
from gui.delays.axis import DelayAxis, Slot, axis, part, slots
from gui.delays.words import MEANINGS, STAGES, bar_text, find, parts, within_text
from gui.text.status_text import delay_text
from gui.theme.theme import Theme
from gui.widgets.focus import KEYBOARD
from gui.widgets.painting import Guarded
from gui.widgets.plain import show_tip

_TOP, _BOTTOM, _LEGEND = 20, 22, 20
_SWATCH = 9
_LABEL = 64
_ROW, _NAME, _NUMBER = 26, 124, 62
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_CENTRE = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter


class Picture(Guarded, QWidget):
    """Something painted that the keyboard can reach, so that its words can be read out."""

    def __init__(self, name: str, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.report = DelayReport()
        self._by_key = False
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme.changed.connect(self.update)

    def show_report(self, report: DelayReport) -> None:
        """Show these."""
        if report != self.report:
            self.report = report
            self.setAccessibleDescription("\n".join(self.lines()))
            self.updateGeometry()
            self.update()

    def lines(self) -> list[str]:
        """What it shows, in words."""
        raise NotImplementedError

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._by_key = event.reason() in KEYBOARD
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def paint_ring(self, painter: QPainter) -> None:
        """Where the keyboard is."""
        if self.hasFocus() and self._by_key:
            painter.setPen(QPen(self.theme.color("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)


class Bars(Picture):
    """How many entries took how long: today's in the accent, all before in grey."""

    def lines(self) -> list[str]:
        return [bar_text(bar) for bar in self.report.bars]

    def sizeHint(self) -> QSize:
        return QSize(480, 170)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self.report.bars:
            return
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            within = axis(self.report.bars)
            self._paint_axis(painter, within)
            highest = max(bar.count for bar in self.report.bars)
            for slot in slots(self.report.bars, within):
                self._paint_bar(painter, slot, within, highest)
            self._paint_marks(painter, within)
            self._paint_legend(painter)
            self.paint_ring(painter)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            return self._tip(event)
        return super().event(event)

    def _tip(self, event: QHelpEvent) -> bool:
        if self.report.bars:
            within = axis(self.report.bars)
            for slot in slots(self.report.bars, within):
                column = self._column(slot.at, within)
                if column.left() <= event.pos().x() < column.right():
                    show_tip(event.globalPos(), bar_text(slot.bar), self)
                    return True
        QToolTip.hideText()
        return True

    def _plot(self) -> QRectF:
        box = QRectF(self.rect()).adjusted(_LABEL / 2, _TOP, -_LABEL / 2, -_BOTTOM - _LEGEND)
        return QRectF(box.topLeft(), QSizeF(max(0.0, box.width()), max(0.0, box.height())))

    def _column(self, at: int, within: DelayAxis) -> QRectF:
        plot = self._plot()
        width = plot.width() / within.slots
        return QRectF(plot.left() + at * width, plot.top(), width, plot.height())

    def _paint_axis(self, painter: QPainter, within: DelayAxis) -> None:
        plot = self._plot()
        painter.setFont(self.theme.font("small"))
        painter.setPen(QPen(self.theme.color("line"), 1))
        painter.drawLine(plot.bottomLeft(), plot.bottomRight())
        for tick in within.ticks(int(plot.width() / _LABEL) + 1):
            x = plot.left() + tick.at * plot.width()
            painter.setPen(self.theme.color("dim"))
            box = QRectF(x - _LABEL / 2, plot.bottom() + 3, _LABEL, _BOTTOM - 4)
            painter.drawText(box, _CENTRE, tick.label)

    def _paint_bar(self, painter: QPainter, slot: Slot, within: DelayAxis, highest: int) -> None:
        """What was counted is seen, however small its share is."""
        column = self._column(slot.at, within)
        gap = min(1.0, column.width() / 6)
        painter.setPen(Qt.PenStyle.NoPen)
        for count, role in ((slot.bar.count, "faint"), (slot.bar.today, "accent")):
            if count:
                height = max(2.0, column.height() * part(count, highest))
                painter.setBrush(self.theme.color(role))
                painter.drawRect(column.adjusted(gap, column.height() - height, -gap, 0))

    def _paint_legend(self, painter: QPainter) -> None:
        painter.setFont(self.theme.font("small"))
        row = QRect(6, self.height() - _LEGEND, self.width() - 12, _LEGEND)
        for words, role in (("before", "faint"), ("today", "accent")):
            painter.setPen(self.theme.color("dim"))
            painter.drawText(row, _RIGHT, words)
            row.setRight(row.right() - painter.fontMetrics().horizontalAdvance(words) - 6)
            swatch = QRectF(row.right() - _SWATCH, row.center().y() - _SWATCH / 2 + 0.5, _SWATCH, _SWATCH)
            painter.fillRect(swatch, self.theme.color(role))
            row.setRight(row.right() - _SWATCH - 16)
        painter.setPen(self.theme.color("dim"))
        painter.drawText(row, _LEFT, "entries, by the time from the key to the screen")

    def _paint_marks(self, painter: QPainter, within: DelayAxis) -> None:
        """Half of all, and 99 of 100, lie left of these."""
        total = find(self.report.all, "total")
        if total is None:
            return
        half, most = within.place(total.p50_ms), within.place(total.p99_ms)
        room = self._plot().width()
        both = (most - half) * room > 2 * _LABEL / 2
        for at, words in ((half, "half"), (most, "99 %")) if both else ((most, "99 %"),):
            x = self._plot().left() + at * room
            painter.setPen(QPen(self.theme.color("text"), 1, Qt.PenStyle.DotLine))
            painter.drawLine(round(x), _TOP - 2, round(x), round(self._plot().bottom()))
            painter.setPen(self.theme.color("text"))
            painter.drawText(QRectF(x - _LABEL / 2, 0, _LABEL, _TOP - 3), _CENTRE, words)


class Stages(Picture):
    """A row for each stage, in numbers and bars: what half of the entries took, and what 99 of 100 took."""

    def lines(self) -> list[str]:
        return [f"{STAGES[each.stage]}: {within_text(each)}; {MEANINGS[each.stage]}" for each in parts(self.report.all)]

    def sizeHint(self) -> QSize:
        return QSize(480, _ROW * (1 + len(parts(self.report.all))) + 4)

    def minimumSizeHint(self) -> QSize:
        return QSize(300, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            rows = parts(self.report.all)
            self._paint_names(painter, rows)
            self._paint_column(painter, 0, "half within", [each.p50_ms for each in rows], "accent")
            self._paint_column(painter, 1, "99 % within", [each.p99_ms for each in rows], "faint")
            self.paint_ring(painter)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            at = event.pos().y() // _ROW - 1
            lines = self.lines()
            show_tip(event.globalPos(), lines[at] if 0 <= at < len(lines) else "", self)
            return True
        return super().event(event)

    def _cell(self, row: int, column: int) -> QRect:
        """Row 0 is the heads'."""
        width = (self.width() - _NAME - 12) // 2
        return QRect(6 + _NAME + column * width, 2 + row * _ROW, width, _ROW)

    def _paint_names(self, painter: QPainter, rows: Sequence[StageDelay]) -> None:
        painter.setFont(self.theme.font("label"))
        painter.setPen(self.theme.color("text"))
        for number, each in enumerate(rows, 1):
            painter.drawText(QRect(6, 2 + number * _ROW, _NAME, _ROW), _LEFT, STAGES[each.stage])

    def _paint_column(self, painter: QPainter, at: int, head: str, times: Sequence[float], role: str) -> None:
        """Each column has a scale of its own: its longest bar is its slowest stage."""
        painter.setFont(self.theme.font("small"))
        painter.setPen(self.theme.color("dim"))
        painter.drawText(self._cell(0, at), _RIGHT, head)
        painter.setFont(self.theme.font("label"))
        for number, ms in enumerate(times, 1):
            cell = self._cell(number, at)
            painter.setPen(self.theme.color("text"))
            painter.drawText(cell, _RIGHT, delay_text(ms))
            length = max(2.0, (cell.width() - _NUMBER - 12) * part(ms, max(times)))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.color(role))
            painter.drawRect(QRectF(cell.left() + 12, cell.top() + cell.height() / 2 - 4, length, 8))
