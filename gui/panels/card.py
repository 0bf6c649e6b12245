"""The card: a rounded surface with a title at the left and a note at the right, in which a panel lives.

The card paints its own chrome; its one body widget fills the rest. Where there is nothing to show, `say()`
puts a sentence in the body's place.

What the card's values are is its `View` (`text/freshness.py`): of a log that was never heard nothing is shown, nor of
one that is loading before there was something; what is of an earlier time is dimmed and marked. A card that is told
nothing is live.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QRect, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QFocusEvent, QFontMetrics, QHideEvent, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QAbstractScrollArea, QVBoxLayout, QWidget

from gui.panels.card_state import CardState, Looks
from gui.panels.card_theme import CardTheme
from gui.panels.placard import paint_mark, paint_placard, placard_area
from gui.text.freshness import View
from gui.text.values import cut, one_line
from gui.theme.theme import Theme
from gui.widgets.focus import KEYBOARD
from gui.widgets.painting import Host

SERIES = 60
"""Letters of a series' name in the legend."""
RADIUS = 6
PADDING = 12
HEADER = 34
_WIDEST = 160       # of a series' name in the legend
SOON_MS = 100
"""A query that is there so soon is not shown as loading."""
_TITLE = 140
"""So much of a title is to be read beside the whole mark, in pixels."""


class Card(Host, QWidget):
    """A titled surface. Subclasses call `set_body` once; `set_note`, `set_legend`, `say` at any time.

    `holds_values`: what it shows comes from the log, so that it is covered or dimmed where that is not of now.
    """

    holds_values = True

    def __init__(self, title: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = CardTheme(theme, self)
        self.state = CardState(holds_values=self.holds_values)
        self._described = ""
        self._soon = QTimer(self, singleShot=True, interval=SOON_MS)
        self._soon.timeout.connect(self._show_waiting)
        self._title = one_line(title)
        self._note = ""
        self._note_role = "faint"
        self._legend: tuple[tuple[str, str], ...] = ()
        self._sentence: tuple[str | None, str] = (None, "dim")
        self._failure: str | None = None
        self._message: str | None = None
        self._message_role = "dim"
        self._painted: Looks | None = None
        self._body: QWidget | None = None
        self._focused = False
        self.content = QVBoxLayout(self)
        self.content.setContentsMargins(PADDING, HEADER, PADDING, PADDING - 2)
        self.content.setSpacing(0)
        self.setAccessibleName(title)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.theme.changed.connect(self.restyle)

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
        self._show_body()

    def say(self, message: str | None, role: str = "dim") -> None:
        """Show a sentence in the body's place; None shows the body again."""
        self._sentence = (None if message is None else cut(message)), role
        self._show_message()

    def show_failure(self, words: str | None) -> None:
        """Show why this card can't be drawn, before all else that it has to say; None: it can be again."""
        self._failure = None if words is None else cut(words)
        self._show_message()

    def _show_message(self) -> None:
        message, role = self._sentence if self._failure is None else (self._failure, "critical")
        if (message, role) == (self._message, self._message_role):
            return
        self._message, self._message_role = message, role
        self._painted = None
        self.describe(message or "")
        self._show_state()

    def describe(self, words: str) -> None:
        """What the card shows, for those who do not see it; its state is said before."""
        self._described = words
        self._describe_state()

    # What its values are

    def show_view(self, view: View) -> None:
        """What the whole board's values are."""
        if view != self.state.board:
            self.state.board = view
            self._show_state()

    def wait(self, progress: float | None) -> None:
        """Something else is to be shown soon, whose history is being read; until then what there was stands, marked."""
        if self.state.waiting is None:
            self._soon.start()
        if self.state.wait(progress):
            self._show_state()

    def arrive(self) -> None:
        """What it waited for is shown."""
        self._soon.stop()
        self.state.arrive()
        self._show_state()

    def set_stale(self, words: str) -> None:
        """Its newest row is too old: how old; empty where it is not."""
        if words != self.state.age:
            self.state.age = words
            self._show_state()

    @property
    def shows_body(self) -> bool:
        """Whether what it shows stands in its place, and not a sentence."""
        return self._message is None and not self.state.covered

    @property
    def _failed(self) -> bool:
        return self._message is not None and self._message_role == "critical"

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.state.waiting is not None and not self.state.shows_waiting:
            self._soon.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody sees whether it waits."""
        super().hideEvent(event)
        self._soon.stop()

    def _show_waiting(self) -> None:
        self.state.shows_waiting = True
        self._show_state()

    def _show_state(self) -> None:
        self.theme.dim(self.state.dimmed)
        self._show_body()
        self._describe_state()
        self._show_looks()

    def _show_looks(self) -> None:
        """Paint what is to be seen of the state where it is another than before, and no more: it tells, many times a
        second and on every card, how much of the log has been read.
        """
        before, self._painted = self._painted, self.state.looks
        if before is None or before.covered != self._painted.covered:
            self.update()
            return
        if before.placard != self._painted.placard:
            self.update(placard_area(self.inner()))
        if before.mark != self._painted.mark:
            self.update(0, 0, self.width(), HEADER)

    def _show_body(self) -> None:
        """While a sentence stands in its place the card itself takes the keyboard for it."""
        body, shown = self._body, self.shows_body
        if body is None or body.isVisibleTo(self) == shown:
            return
        takes = bool(body.focusPolicy() & Qt.FocusPolicy.TabFocus)
        focused = takes and (self if shown else body).hasFocus()
        if takes:
            self.setFocusPolicy(Qt.FocusPolicy.NoFocus if shown else Qt.FocusPolicy.TabFocus)
        if focused and not shown:
            self.setFocus(Qt.FocusReason.OtherFocusReason)
        body.setVisible(shown)
        if focused and shown:
            body.setFocus(Qt.FocusReason.OtherFocusReason)

    def _describe_state(self) -> None:
        state = "" if self._failed else self.state.text
        words = "" if self.state.covered and not self._failed else self._described
        self.setAccessibleDescription(". ".join(filter(None, (state, words))))
        if self._body is not None:
            self._body.setAccessibleDescription(self.state.text)

    def restyle(self) -> None:
        """The theme has changed. Who keeps colours builds them anew here; the call goes on to super()."""
        self.update()
        if self._body is not None:
            self._body.update()
        if isinstance(self._body, QAbstractScrollArea):
            self._body.viewport().update()

    # Geometry and painting

    def inner(self) -> QRect:
        """Where the body lies."""
        return self.rect().adjusted(PADDING, HEADER, -PADDING, 2 - PADDING)

    def minimumSizeHint(self) -> QSize:
        return QSize(96, 64)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_surface(painter, event.rect())
            if event.rect().top() < HEADER:
                self._paint_header(painter)
            if self.state.covered and not self._failed:
                if not self.state.quiet:
                    paint_placard(painter, self.inner(), self.theme, self.state.view)
            elif self._message is not None:
                self._paint_message(painter)

    def focus(self) -> None:
        """Put the keyboard here: into the body, if it takes it."""
        takes = self.shows_body and self._body is not None and self._body.focusPolicy() != Qt.FocusPolicy.NoFocus
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

    def _paint_surface(self, painter: QPainter, part: QRect) -> None:
        if self.inner().contains(part):
            painter.fillRect(part.adjusted(-1, -1, 1, 1), self.theme.color("card"))
            return
        painter.setPen(QPen(self.theme.color("accent" if self._focused else "line"), 1))
        painter.setBrush(self.theme.color("card"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)

    def _paint_header(self, painter: QPainter) -> None:
        row = QRect(PADDING, 8, self.width() - 2 * PADDING, 20)
        row.setRight(row.right() - self._paint_mark(painter, row))
        taken, waits = 0, bool(self.state.mark.words) and not self.holds_values
        if not (self.state.covered or waits):
            taken = self._paint_legend(painter, row) if self._legend else self._paint_note(painter, row)
        font = self.theme.font("title")
        painter.setFont(font)
        painter.setPen(self.theme.color("dim"))
        row.setRight(row.right() - taken)
        words = QFontMetrics(font).elidedText(self._title, Qt.TextElideMode.ElideRight, row.width())
        painter.drawText(row, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)

    def _paint_mark(self, painter: QPainter, row: QRect) -> int:
        """Whose time its values are; how wide that is."""
        mark = self.state.mark
        title = QFontMetrics(self.theme.font("title")).horizontalAdvance(self._title) + PADDING
        return paint_mark(painter, row, self.theme, mark, min(title, _TITLE)) + PADDING if mark.words else 0

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
