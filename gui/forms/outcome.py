"""The line under a form's button: what became of the last entry."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.theme.theme import Theme
from gui.widgets.painting import Guarded
from gui.widgets.plain import set_tip

_RING = 8


class Outcome(Guarded, QWidget):
    """One line that is always there, so that nothing moves when it speaks."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._text = ""
        self._role = "dim"
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Last entry")

    def clear(self) -> None:
        """Nothing to say."""
        self._say("", "dim")

    def pending(self) -> None:
        """The entry is in the outbox."""
        self._say("Entered, not yet confirmed", "pending")

    def confirmed(self, position: int, delay_ms: float | None) -> None:
        """The log gave it a position."""
        took = "" if delay_ms is None else f" ({delay_ms:.0f} ms)"
        self._say(f"Confirmed at position {position:,}{took}".replace(",", "\u202f"), "ok")

    def failed(self, reason: str) -> None:
        """It was not taken."""
        self._say(reason, "critical")

    def settled(self, words: str) -> None:
        """Something else than an entry was done."""
        self._say(words, "dim")

    def text(self) -> str:
        """What it says."""
        return self._text

    def sizeHint(self) -> QSize:
        return QSize(80, 26)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._text:
            return
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            colour = self._theme.color(self._role)
            middle = self.height() / 2 + 3
            painter.setPen(QPen(colour, 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush if self._role == "pending" else colour)
            painter.drawEllipse(QRectF(1.5, middle - _RING / 2, _RING - 1, _RING - 1))
            font = self._theme.font("small")
            painter.setFont(font)
            painter.setPen(colour if self._role == "critical" else self._theme.color("dim"))
            box = QRect(16, 6, self.width() - 16, self.height() - 6)
            words = QFontMetrics(font).elidedText(self._text, Qt.TextElideMode.ElideRight, box.width())
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)

    def _say(self, text: str, role: str) -> None:
        self._text, self._role = text, role
        self.setAccessibleDescription(text)
        set_tip(self, text if role == "critical" else "")
        self.update()
