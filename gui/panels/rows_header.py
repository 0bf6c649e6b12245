"""The header of a table, and the measures that header and rows share. Pixels."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHeaderView, QWidget

from gui.models.query import Sort
from gui.models.table_model import ALIGN, Shown, TableModel
from gui.theme.theme import Theme
from gui.widgets.painting import Guarded

ROW = 26
GUTTER = 18         # left of the first column, where rows can be pending: their mark
GAP = 8             # on either side of a cell


def indent(model: TableModel, section: int) -> int:
    """How far from its column's left a cell's text begins: the first leaves room for the mark of a pending row."""
    return GUTTER if section == 0 and model.marks_pending else GAP


class Header(Guarded, QHeaderView):
    """Column names: small, grey; the sorted one with an arrow, the one a key would sort by brighter."""

    def __init__(self, rows: TableModel, theme: Theme, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.rows = rows
        self.theme = theme
        self.sort: Sort | None = None
        self.marked = -1
        self.setFixedHeight(ROW)
        self.setSectionsClickable(True)
        self.setHighlightSections(False)
        self.setMinimumSectionSize(24)
        self.setStretchLastSection(False)

    def set_sort(self, sort: Sort | None) -> None:
        """The column that the operator sorted by."""
        self.sort = sort
        self.viewport().update()

    def mark(self, section: int) -> None:
        """The column that a key would sort by."""
        if section != self.marked:
            self.marked = section
            self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self.viewport()) as painter:
            painter.setPen(QPen(self.theme.color("line"), 1))
            painter.drawLine(0, self.height() - 1, self.viewport().width(), self.height() - 1)
            for section, column in enumerate(self.rows.shown):
                left = self.sectionViewportPosition(section)
                self._paint_name(painter, section, column, left, self.sectionSize(section))

    def _paint_name(self, painter: QPainter, section: int, column: Shown, left: int, width: int) -> None:
        font = self.theme.font("small")
        lead = indent(self.rows, section)
        box = QRectF(left + lead, 0, max(0, width - lead - GAP), ROW)
        arrow = self.sort is not None and self.sort.column == column.name
        right = column.align == "right"
        if arrow:
            box.adjust(12 if right else 0, 0, 0 if right else -12, 0)
        words = QFontMetricsF(font).elidedText(column.label, Qt.TextElideMode.ElideRight, box.width() + 1)
        painter.setFont(font)
        painter.setPen(self.theme.color("text" if arrow else "dim" if section == self.marked else "faint"))
        painter.drawText(box, ALIGN[column.align] | Qt.AlignmentFlag.AlignVCenter, words)
        if arrow and self.sort is not None:
            used = QFontMetricsF(font).horizontalAdvance(words)
            middle = box.right() - used - 9 if right else box.left() + used + 9
            self._paint_arrow(painter, middle, self.sort.descending)

    def _paint_arrow(self, painter: QPainter, middle: float, down: bool) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.theme.color("accent"), 1.5))
        y, tip = self.height() / 2, 2 if down else -2
        ends, point = y - tip / 2 + 0.5, y + tip + 0.5
        painter.drawPolyline([QPointF(middle - 3, ends), QPointF(middle, point), QPointF(middle + 3, ends)])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
