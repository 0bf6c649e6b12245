"""What a card shows of its state: a mark at the right end of its title, and words in the place of what is not known."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter

from gui.panels.card_state import Mark
from gui.panels.card_theme import CardTheme
from gui.text.freshness import View
from gui.theme.icons import icon

ICON, GAP = 12, 5
_NARROW = 120
"""In a row that is narrower the mark has no picture, in pixels."""
_BAR, _BAR_WIDTH = 3, 160
_LINE = 20
_HEIGHT = 80
"""More than words, more and bar take."""
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def paint_mark(painter: QPainter, row: QRect, theme: CardTheme, mark: Mark, need: int) -> int:
    """Paint the mark at the right of a row, its short form where less than `need` pixels were left; its width."""
    font = theme.font("small")
    metrics = QFontMetrics(font)
    words = mark.words if row.width() - _width(metrics, mark.words) >= need else mark.short
    painter.setFont(font)
    painter.setPen(theme.bright(mark.role))
    painter.drawText(row, _RIGHT, words)
    if row.width() < _NARROW:
        return metrics.horizontalAdvance(words)
    width = _width(metrics, words)
    ratio = painter.device().devicePixelRatio()
    picture = icon("clock", theme.bright(mark.role), ICON, ratio)
    painter.drawImage(row.right() + 1 - width, row.center().y() - ICON // 2 + 1, picture)
    return width


def _width(metrics: QFontMetrics, words: str) -> int:
    return metrics.horizontalAdvance(words) + ICON + GAP


def paint_placard(painter: QPainter, box: QRect, theme: CardTheme, view: View) -> None:
    """Words in the middle; below them more and how far it is, where there is room. A low card's are one line."""
    style = "medium" if QFontMetrics(theme.font("medium")).horizontalAdvance(view.words) + 2 < box.width() else "small"
    metrics = QFontMetrics(theme.font(style))
    high, room = metrics.height(), box.height()
    below = _LINE if view.more and room >= high + 2 * _LINE else 0
    bar = _BAR + 9 if view.progress is not None and room >= high + below + 16 else 0
    line = QRect(box.left(), box.top() + (room - high - below - bar) // 2, box.width(), high)
    _paint_line(painter, line, theme, style, "dim", view.words)
    if below:
        _paint_line(painter, line.translated(0, _LINE), theme, "small", "faint", view.more)
    if bar and view.progress is not None:
        _paint_bar(painter, QPointF(box.center().x(), line.bottom() + below + 9), box.width(), theme, view.progress)


def placard_area(box: QRect) -> QRect:
    """The part of a box in which `paint_placard` paints, whatever the view is."""
    return box.intersected(QRect(box.left(), box.center().y() - _HEIGHT // 2, box.width(), _HEIGHT))


def _paint_line(painter: QPainter, line: QRect, theme: CardTheme, style: str, role: str, words: str) -> None:
    font = theme.font(style)
    painter.setFont(font)
    painter.setPen(theme.bright(role))
    shown = QFontMetrics(font).elidedText(words, Qt.TextElideMode.ElideRight, line.width())
    painter.drawText(line, Qt.AlignmentFlag.AlignCenter, shown)


def _paint_bar(painter: QPainter, middle: QPointF, room: int, theme: CardTheme, progress: float) -> None:
    width = min(_BAR_WIDTH, room)
    whole = QRectF(middle.x() - width / 2, middle.y(), width, _BAR)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.bright("line"))
    painter.drawRoundedRect(whole, 1.5, 1.5)
    painter.setBrush(theme.bright("accent"))
    painter.drawRoundedRect(QRectF(whole.left(), whole.top(), width * max(0.0, min(1.0, progress)), _BAR), 1.5, 1.5)
