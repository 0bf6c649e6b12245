"""Text that is laid out once and painted often: shaping a string costs Qt more than drawing it."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QStaticText

from gui.theme.theme import Theme

KEPT = 8192


class Laid(NamedTuple):
    """A text ready to draw, and its size."""

    text: QStaticText
    width: float
    height: float


class LaidText:
    """Texts of one theme, by style, and by width where they had to be cut off."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._kept: dict[tuple[str, str, int], Laid] = {}

    def clear(self) -> None:
        """The fonts are others."""
        self._kept.clear()

    def fit(self, text: str, style: str, room: int) -> Laid:
        """The text in a style, cut off with an ellipsis where it is wider than `room`."""
        laid = self._lay(text, style, -1)
        return laid if laid.width <= room else self._lay(text, style, room)

    def _lay(self, text: str, style: str, room: int) -> Laid:
        laid = self._kept.get((text, style, room))
        if laid is None:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            laid = self._kept[text, style, room] = self._laid_out(text, style, room)
        return laid

    def _laid_out(self, text: str, style: str, room: int) -> Laid:
        font = self._theme.font(style)
        metrics = QFontMetricsF(font)
        if room >= 0:
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
        static = QStaticText(text)
        static.setTextFormat(Qt.TextFormat.PlainText)
        static.setPerformanceHint(QStaticText.PerformanceHint.AggressiveCaching)
        static.prepare(font=font)
        return Laid(static, metrics.horizontalAdvance(text), static.size().height())


def draw_message(painter: QPainter, box: QRect, words: str, above: int) -> None:
    """So many pixels above the middle; less where there is little room; where it lacks, one line, cut off."""
    flags, metrics = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, painter.fontMetrics()
    spare = box.height() - metrics.boundingRect(box, flags, words).height()
    if spare < 0:
        words = metrics.elidedText(words, Qt.TextElideMode.ElideRight, box.width())
    painter.drawText(box.adjusted(0, 0, 0, -max(0, min(spare, 2 * above))), flags, words)
