"""The toast: what was just entered, and the way back, for some seconds over the board's foot.

It takes no keyboard from anybody, and is announced to those who do not see it. While the mouse or the keyboard is on
it, it stays.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from gui.theme.theme import Theme
from gui.widgets.painting import Guarded
from gui.widgets.pill import Pill
from gui.widgets.plain import PlainLabel

STAYS_MS = 8_000
_WIDEST, _ABOVE = 420, 44
_WAYS = {"undo": ("Undo", "Ctrl+Z"), "redo": ("Enter again", "Ctrl+Shift+Z")}


class Toast(Guarded, QWidget):
    """Lies over its parent. `undo_wanted` and `redo_wanted` tell that what it offers was pressed."""

    undo_wanted = Signal()
    redo_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)       # nothing under it is painted again with it
        self._theme, self._over = theme, parent
        self._action = ""
        self._text, self._way = PlainLabel(parent=self), Pill(theme, self)
        self._way.set_pressable()
        self._way.clicked.connect(self._press)
        self._ends = QTimer(self, singleShot=True, interval=STAYS_MS)
        self._ends.timeout.connect(self.hide)
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(14, 7, 8, 7)
        row.setSpacing(14)
        row.addWidget(self._text)
        row.addWidget(self._way)
        parent.installEventFilter(self)
        self._way.installEventFilter(self)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._follow_focus)
        theme.changed.connect(self.update)
        self.hide()

    def offer(self, words: str, action: str) -> None:
        """Say what was done, and offer what takes it back ("undo", "redo", "" for nothing). No words: be gone."""
        if not words:
            self._ends.stop()
            self.hide()
            return
        self._action = action
        font = self._theme.font("medium")
        self._text.setFont(font)
        self._text.setText(QFontMetrics(font).elidedText(words, Qt.TextElideMode.ElideRight, _WIDEST))
        way, key = _WAYS.get(action, ("", ""))
        self._way.show_text(f"{way}  {key}", "accent")
        self._way.setAccessibleName(way)
        self._way.setAccessibleDescription(f"{words}. {key}")
        self._way.setVisible(bool(way))
        self.setAccessibleName(words)
        self._place()
        self.show()
        self.raise_()
        self._ends.start()
        announced = f"{words}. {way}: {key}" if way else words
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, announced))

    def words(self) -> str:
        """What it says; nothing while it is not there."""
        return "" if self.isHidden() else self.accessibleName()

    def _follow_focus(self, _: QWidget | None, now: QWidget | None) -> None:
        """A click here leaves the keyboard where it is: Qt looks no further for who takes it than to our proxy."""
        if now is not None and self._over.isAncestorOf(now) and not self.isAncestorOf(now):
            self.setFocusProxy(now)

    def _press(self) -> None:
        (self.redo_wanted if self._action == "redo" else self.undo_wanted).emit()

    def _place(self) -> None:
        """In the middle, above the foot."""
        parent = self._over
        self._row.activate()
        size = self._row.sizeHint().boundedTo(QSize(parent.width() - 32, parent.height()))
        self.setGeometry((parent.width() - size.width()) // 2, parent.height() - _ABOVE - size.height(),
                         size.width(), size.height())  # fmt: skip

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._way and event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self._stay(event.type() == QEvent.Type.FocusIn)
        elif watched is self._over and event.type() == QEvent.Type.Resize and not self.isHidden():
            self._place()
        return False

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Enter, QEvent.Type.Leave):
            self._stay(event.type() == QEvent.Type.Enter)
        return super().event(event)

    def _stay(self, stays: bool) -> None:
        if stays:
            self._ends.stop()
        elif not self.isHidden() and not self._way.hasFocus() and not self.underMouse():
            self._ends.start()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self._theme.color("hover"))
            painter.setPen(QPen(self._theme.color("faint"), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
