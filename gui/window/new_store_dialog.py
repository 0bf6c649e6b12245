"""The way out where the log does not fit the desk's store: a dialog that explains a new store, and a notice."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from gui.theme.theme import Theme
from gui.widgets.plain import PlainLabel, without_keys

_WIDTH = 560
_EXPLAINED = (
    "On a new store this desk follows the server from its log's beginning. The store that it has is kept beside it, as "
    "it is.\n\nYour entries go along: those that wait and those that need attention; where it is the same log, also "
    "those that it had confirmed, so that what the server lost of them is sent again, and nothing twice."
)


class Notice(QDialog):
    """Words, and what can be done about them; shown with `open()`, Esc closes it. Without `action` it only tells."""

    def __init__(self, heading: str, words: str, theme: Theme, parent: QWidget, action: str = "") -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(heading)
        self.setAccessibleName(heading)
        self.setAccessibleDescription(words)
        title, text = PlainLabel(heading, self), PlainLabel(words, self)
        title.setFont(theme.font("heading"))
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        text.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 20)
        column.setSpacing(14)
        column.addWidget(title)
        column.addWidget(text)
        column.addLayout(self._buttons(action))
        self.setFixedSize(_WIDTH, column.totalHeightForWidth(_WIDTH))

    def _buttons(self, action: str) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addStretch(1)
        leave = QPushButton("Not now" if action else "Close", self)
        leave.clicked.connect(self.reject)
        row.addWidget(leave)
        if action:
            self.act = QPushButton(without_keys(action), self)
            self.act.clicked.connect(self.accept)
            self.act.setObjectName("submit")
            self.act.setDefault(True)
            self.act.setFocus()
            row.addWidget(self.act)
        return row


def offer(reason: str, theme: Theme, parent: QWidget) -> Notice:
    """A new store, offered; `accepted` when it is wanted. `reason` is why the present one does not do; what it says
    after a semicolon is about the command line.
    """
    reason = f"{reason[:1].upper()}{reason[1:].partition(';')[0]}."
    words = f"{reason}\n\n{_EXPLAINED}"
    return Notice("Follow the server on a new store", words, theme, parent, "Follow on a new store")
