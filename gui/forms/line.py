"""A line of text to enter, with a hint inside at its right end: a unit, or what was understood."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from gui.theme.theme import Theme
from gui.widgets.painting import Guarded

_SIDE = 10


class Line(Guarded, QLineEdit):
    """Qt's line edit, and a hint."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._hint = ""
        self._role = "faint"

    def set_hint(self, hint: str, role: str = "faint") -> None:
        """Words at the right end; empty for none."""
        if (hint, role) == (self._hint, self._role):
            return
        self._hint, self._role = hint, role
        taken = QFontMetrics(self._theme.font("body")).horizontalAdvance(hint)
        self.setTextMargins(0, 0, taken + _SIDE if hint else 0, 0)
        self.setAccessibleDescription(hint)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._hint:
            return
        with QPainter(self) as painter:
            painter.setFont(self._theme.font("body"))
            painter.setPen(self._theme.color(self._role))
            box = QRect(0, 0, self.width() - _SIDE, self.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._hint)
