"""A panel that is not there, since a process ended while it drew it, or since it cannot be built; it can be tried."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from dataflow import board
from gui.panels.base import Panel
from gui.text.freshness import View
from gui.theme.theme import Theme
from gui.widgets.plain import PlainLabel

_LOW = 200
_HINT = "The other panels are live. “Try again” opens it; if Watchfloor ends once more, it will be shut again."


class Shut(Panel):
    """Asks no query. Everything in it is Qt's own, and says nothing but `reason`."""

    holds_values = False
    again = Signal()

    def __init__(
        self, reason: str, spec: board.Panel, theme: Theme, zone: ZoneInfo, parent: QWidget | None = None
    ) -> None:
        super().__init__(spec, theme, zone, parent)
        self.reason = reason
        self.button = QPushButton("Try again", self)
        self.button.setAutoDefault(True)
        self.button.setAccessibleName(f"Try again: {spec.title}")
        self.button.clicked.connect(self.again)
        self._arrange()
        self.set_note("Shut", "critical")
        self.describe(reason)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def _arrange(self) -> None:
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.addStretch(1)
        column.addWidget(self._label(self.reason, "fieldProblem", body))
        self._hint = self._label(_HINT, "dim", body)
        column.addWidget(self._hint)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignCenter)
        column.addStretch(1)
        self.set_body(body)

    def _label(self, words: str, kind: str, parent: QWidget) -> PlainLabel:
        label = PlainLabel(words, parent)
        label.setObjectName(kind)
        label.setWordWrap(True)
        label.setMinimumWidth(1)
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        return label

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, the reason and the button have it."""
        super().resizeEvent(event)
        self._hint.setVisible(self.height() >= _LOW)

    def show_view(self, view: View) -> None:
        """It is shut whatever the board's values are of."""

    def set_stale(self, words: str) -> None:
        """It has no rows."""

    def queries(self) -> dict[str, str]:
        return {}

    def focus(self) -> None:
        """Put the keyboard on the button."""
        self.button.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def trouble(self) -> str | None:
        return self.reason
