"""How wide a table's columns are: told from a sample of their content once, shared out over the room there is.

A width that the board gives or the operator drags stays; the others fill what is left.
"""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QFontMetricsF, QHelpEvent
from PySide6.QtWidgets import QToolTip

from gui.models.widths import Need, share
from gui.panels.rows_header import GAP, indent
from gui.panels.rows_view import RowsView
from gui.widgets.plain import show_tip

SAMPLE = 100
WIDEST = 340
WIDEST_LETTER = 14


class Columns(QObject):
    """Keeps a view's columns in shape, and tells in full, by tooltip, what is cut off."""

    def __init__(self, view: RowsView) -> None:
        super().__init__(view)
        self._view = view
        self._model = view.rows
        self._needs: list[Need] = []
        self._sampled = 0
        self._dragged: dict[str, int] = {}
        self._laying_out = False
        view.viewport().installEventFilter(self)
        view.header.sectionResized.connect(self._dragged_to)
        self._model.modelReset.connect(self.measure)

    def sample(self) -> None:
        """Measure again where there is much more to tell widths from than the last time."""
        if self._sampled < SAMPLE and len(self._model.store) > 4 * self._sampled:
            self.measure()

    def measure(self) -> None:
        """How wide each column wants to be, from its name and a sample of its values."""
        small, body, bold = (QFontMetricsF(self._view.theme.font(style)) for style in ("small", "body", "bold"))
        values = [0.0 for _ in self._model.shown]
        self._sampled = min(len(self._model.store), SAMPLE)
        for at in range(self._sampled):
            for section, cell in enumerate(self._model.cells(at)):
                if len(cell.text) * WIDEST_LETTER > values[section]:
                    metrics = bold if cell.bold else body
                    values[section] = max(values[section], min(WIDEST, metrics.horizontalAdvance(cell.text)))
        names = [small.horizontalAdvance(column.label) for column in self._model.shown]
        self._needs = [
            Need(self._with_gaps(section, max(name, value)), self._with_gaps(section, value))
            for section, (name, value) in enumerate(zip(names, values, strict=True))
        ]
        self.lay_out()

    def _with_gaps(self, section: int, text: float) -> int:
        return ceil(text) + 1 + GAP + indent(self._model, section)

    def lay_out(self) -> None:
        """Share the present width out."""
        shown = self._model.shown
        wanted = [self._dragged.get(column.name, column.width) for column in shown]
        held = [column.name in self._dragged for column in shown]
        widths = share(self._needs, wanted, held, self._view.viewport().width())
        self._laying_out = True
        for section, width in enumerate(widths):
            self._view.setColumnWidth(section, width)
        self._laying_out = False

    def cut_off(self, at: int, section: int) -> bool:
        """Whether a cell's text does not fit."""
        cell = self._model.cells(at)[section]
        room = self._view.columnWidth(section) - GAP - indent(self._model, section)
        font = self._view.theme.font("bold" if cell.bold else "body")
        return QFontMetricsF(font).horizontalAdvance(cell.text) > room

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.lay_out()
        elif event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._tip(event)
            return True
        return super().eventFilter(watched, event)

    def _tip(self, event: QHelpEvent) -> None:
        index = self._view.indexAt(event.pos())
        if index.isValid() and self.cut_off(index.row(), index.column()):
            text = self._model.cells(index.row())[index.column()].text
            show_tip(event.globalPos(), text, self._view)
        else:
            QToolTip.hideText()

    def _dragged_to(self, section: int, before: int, now: int) -> None:
        if not self._laying_out and section < len(self._model.shown):
            self._dragged[self._model.shown[section].name] = now
