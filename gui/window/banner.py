"""The banner over a board: what is the matter with its log or its file, since when, what that means and what to do.

It is there while that holds, or until it is dismissed; the header and every card go on saying so.
"""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from gui.text.advice import Advice
from gui.theme.icons import icon
from gui.theme.theme import Theme
from gui.widgets.painting import Guarded
from gui.widgets.pill import Pill
from gui.widgets.plain import PlainLabel, set_tip

_SIDE, _EDGE, _ICON, _TINT = 16, 3, 16, 0.10


class Banner(Guarded, QWidget):
    """One matter. `dismissed` tells that its operator has read it; `left`, that the keyboard was there then."""

    dismissed = Signal()
    left = Signal()
    details_wanted = Signal()
    new_store_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._role = "warning"
        self._shown: Advice | None = None
        self._dismissed = ""
        self._heading, self._words = PlainLabel(parent=self), PlainLabel(parent=self)
        self._details, self._new_store, self._close = Pill(theme, self), Pill(theme, self), Pill(theme, self)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._set_up()
        self._arrange()
        theme.changed.connect(self._restyle)
        self.hide()

    def _set_up(self) -> None:
        for label in (self._heading, self._words):
            label.setWordWrap(True)
            label.setMinimumWidth(1)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._words.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._words.setObjectName("dim")
        self._details.show_text("Details (F9)", "text")
        self._new_store.show_text("New store…", "text")
        self._close.show_text("", "text", icon="x")
        self._close.setAccessibleName("Dismiss")
        set_tip(self._close, "Dismiss (Esc); the header and the cards go on saying so")
        for pill in (self._details, self._new_store, self._close):
            pill.set_pressable()
        self._details.clicked.connect(self.details_wanted)
        self._new_store.clicked.connect(self.new_store_wanted)
        self._close.clicked.connect(self.dismiss)

    def _arrange(self) -> None:
        row, text = QHBoxLayout(self), QVBoxLayout()
        row.setContentsMargins(_SIDE + _ICON + 10, 9, 12, 9)
        row.setSpacing(8)
        text.setSpacing(2)
        text.addWidget(self._heading)
        text.addWidget(self._words)
        row.addLayout(text, 1)
        row.addSpacing(_SIDE)
        for pill in (self._details, self._new_store, self._close):
            row.addWidget(pill, 0, Qt.AlignmentFlag.AlignVCenter)

    def show_advice(self, advice: Advice | None) -> None:
        """Say this from now on; None: there is nothing to say. What was dismissed stays away while it holds."""
        if advice is None:
            self._dismissed = ""
        elif advice != self._shown:
            self._tell(advice)
        self._shown = advice
        self.setVisible(advice is not None and advice.topic != self._dismissed)

    def dismiss(self) -> None:
        """Read and understood."""
        if self._shown is not None:
            had = self.isAncestorOf(self.window().focusWidget() or self.window())
            self._dismissed = self._shown.topic
            self.hide()
            self.dismissed.emit()
            if had:
                self.left.emit()

    def _tell(self, advice: Advice) -> None:
        self._role = advice.role
        self._heading.setText(advice.heading)
        self._words.setText(advice.words)
        self._details.setVisible(advice.details)
        self._new_store.setVisible(advice.new_store)
        self.setAccessibleName(advice.heading)
        self.setAccessibleDescription(advice.words)
        self._restyle()

    def _restyle(self) -> None:
        self._heading.setFont(self._theme.font("bold"))
        self._words.setFont(self._theme.font("body"))
        self.updateGeometry()
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        colour = self._theme.color(self._role)
        tint = QColor(colour)
        tint.setAlphaF(_TINT)
        top = self._heading.geometry().top() + (self._heading.fontMetrics().height() - _ICON) // 2
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), tint)
            painter.fillRect(QRect(0, 0, _EDGE, self.height()), colour)
            painter.fillRect(QRect(0, self.height() - 1, self.width(), 1), self._theme.color("line"))
            painter.drawImage(_SIDE, top, icon("triangle-alert", colour, _ICON, self.devicePixelRatioF()))
