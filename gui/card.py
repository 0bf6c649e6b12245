"""The card: a rounded surface with a title at the left and a note at the right, in which a panel lives.

The card paints its own chrome; its one body widget fills the rest. Where there is nothing to show, `say()`
puts a sentence in the body's place.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFocusEvent, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.format import cut, one_line
from gui.painting import Host
from gui.theme import Theme

SERIES = 60
"""Letters of a series' name in the legend."""
RADIUS = 6
KEYBOARD = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)
PADDING = 12
HEADER = 34
_WIDEST = 160       # of a series' name in the legend


class Card(Host, QWidget):
    """A titled surface. Subclasses call `set_body` once; `set_note`, `set_legend`, `say` at any time."""

    def __init__(self, title: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._title = one_line(title)
        self._note = ""
        self._note_role = "faint"
        self._legend: tuple[tuple[str, str], ...] = ()
        self._said: tuple[str | None, str] = (None, "dim")
        self._failure: str | None = None
        self._message: str | None = None
        self._message_role = "dim"
        self._body: QWidget | None = None
        self._focused = False
        self.content = QVBoxLayout(self)
        self.content.setContentsMargins(PADDING, HEADER, PADDING, PADDING - 2)
        self.content.setSpacing(0)
        self.setAccessibleName(title)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme.changed.connect(self.restyle)

    # What panels use

    def set_title(self, title: str) -> None:
        """The words at the left: what is shown, and over what time."""
        self._title = one_line(title)
        self.setAccessibleName(self._title)
        self.update()

    def set_note(self, note: str, role: str = "faint") -> None:
        """The words at the right: how much is shown."""
        note = one_line(note)
        if (note, role) != (self._note, self._note_role):
            self._note, self._note_role = note, role
            self.update(0, 0, self.width(), HEADER)

    def set_legend(self, entries: Sequence[tuple[str, str]]) -> None:
        """(label, role) of each series; stands in the note's place."""
        legend = tuple((one_line(cut(label, SERIES)), role) for label, role in entries)
        if legend != self._legend:
            self._legend = legend
            self.update(0, 0, self.width(), HEADER)

    def set_body(self, body: QWidget) -> None:
        """The widget that fills the card below its title."""
        self._body = body
        self.content.addWidget(body)
        if body.focusPolicy() & Qt.FocusPolicy.TabFocus:
            self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            body.installEventFilter(self)

    def say(self, message: str | None, role: str = "dim") -> None:
        """Show a sentence in the body's place; None shows the body again."""
        self._said = (None if message is None else cut(message)), role
        self._show_message()

    def show_failure(self, words: str | None) -> None:
        """Show why this card can't be drawn, before all else that it has to say; None: it can be again."""
        self._failure = None if words is None else cut(words)
        self._show_message()

    def _show_message(self) -> None:
        message, role = self._said if self._failure is None else (self._failure, "critical")
        if (message, role) == (self._message, self._message_role):
            return
        self._message, self._message_role = message, role
        if self._body is not None:
            self._body.setVisible(message is None)
        self.setAccessibleDescription(message or "")
        self.update()

    def restyle(self) -> None:
        """The theme has changed. Who keeps colours builds them anew here; the call goes on to super()."""
        self.update()

    # Geometry and painting

    def inner(self) -> QRect:
        """Where the body lies."""
        return self.rect().adjusted(PADDING, HEADER, -PADDING, 2 - PADDING)

    def minimumSizeHint(self) -> QSize:
        return QSize(96, 64)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_surface(painter)
            self._paint_header(painter)
            if self._message is not None:
                self._paint_message(painter)

    def focus(self) -> None:
        """Put the keyboard here: into the body, if it takes it."""
        takes = self._body is not None and self._body.focusPolicy() != Qt.FocusPolicy.NoFocus
        (self._body if self._body and takes else self).setFocus(Qt.FocusReason.ShortcutFocusReason)

    # Focus: the ring shows where the keyboard is, once the keyboard has been used to get there

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._ring(event.reason() in KEYBOARD)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._ring(False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._body and isinstance(event, QFocusEvent):
            self._ring(event.gotFocus() and event.reason() in KEYBOARD)
        return super().eventFilter(watched, event)

    def _ring(self, shown: bool) -> None:
        self._focused = shown
        self.update()

    def _paint_surface(self, painter: QPainter) -> None:
        painter.setPen(QPen(self.theme.color("accent" if self._focused else "line"), 1))
        painter.setBrush(self.theme.color("card"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)

    def _paint_header(self, painter: QPainter) -> None:
        row = QRect(PADDING, 8, self.width() - 2 * PADDING, 20)
        taken = self._paint_legend(painter, row) if self._legend else self._paint_note(painter, row)
        font = self.theme.font("title")
        painter.setFont(font)
        painter.setPen(self.theme.color("dim"))
        row.setRight(row.right() - taken)
        words = QFontMetrics(font).elidedText(self._title, Qt.TextElideMode.ElideRight, row.width())
        painter.drawText(row, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)

    def _paint_note(self, painter: QPainter, row: QRect) -> int:
        if not self._note:
            return 0
        font = self.theme.font("small")
        words = QFontMetrics(font).elidedText(self._note, Qt.TextElideMode.ElideRight, row.width() // 2)
        painter.setFont(font)
        painter.setPen(self.theme.color(self._note_role, "faint"))
        painter.drawText(row, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
        return QFontMetrics(font).horizontalAdvance(words) + PADDING

    def _paint_legend(self, painter: QPainter, row: QRect) -> int:
        font = self.theme.font("small")
        metrics = QFontMetrics(font)
        painter.setFont(font)
        right, least = row.right() + 1, row.left() + row.width() // 3
        for left, (label, role) in reversed(list(enumerate(self._legend, start=1))):
            label = metrics.elidedText(label, Qt.TextElideMode.ElideRight, _WIDEST)
            width = metrics.horizontalAdvance(label)
            if right - width - 16 < least:
                return row.right() - self._paint_more(painter, row, right, left)
            painter.setPen(self.theme.color("dim"))
            box = QRect(right - width, row.top(), width, row.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, label)
            painter.setPen(QPen(self.theme.color(role), 2))
            middle = row.center().y() + 1
            painter.drawLine(right - width - 16, middle, right - width - 7, middle)
            right -= width + 30
        return row.right() - right

    def _paint_more(self, painter: QPainter, row: QRect, right: int, count: int) -> int:
        """How many series have no room in the legend; where that begins."""
        words = f"+{count}"
        left = right - painter.fontMetrics().horizontalAdvance(words)
        painter.setPen(self.theme.color("dim"))
        painter.drawText(QRect(left, row.top(), right - left, row.height()), Qt.AlignmentFlag.AlignVCenter, words)
        return left - PADDING

    def _paint_message(self, painter: QPainter) -> None:
        painter.setFont(self.theme.font("body"))
        painter.setPen(self.theme.color(self._message_role))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(self.inner(), flags, self._message or "")
