"""The keys of the window, and the dialog that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QLabel, QVBoxLayout, QWidget

from dataflow.board import Board, TablePanel
from gui.theme import Theme


class Key(NamedTuple):
    """A key as people write it, and what it does."""

    keys: str
    words: str


WINDOW_KEYS = (
    Key("Ctrl+1 … Ctrl+9", "Go to a panel, by its place on the board"),
    Key("Tab", "Next panel or field"),
    Key("E  or  Ctrl+N", "Go to the entry form"),
    Key("Enter", "Submit the form (Ctrl+Enter in a field of several lines)"),
    Key("Esc", "Clear the form, then leave it"),
    Key("Space", "Hold or resume a replay"),
    Key("Ctrl+T", "Dark or light"),
    Key("F11", "Full screen"),
    Key("F1  or  ?", "These keys"),
    Key("Ctrl+Q", "Quit"),
)


def row_keys(board: Board) -> list[Key]:
    """The keys of the board's row actions."""
    tables = (panel for panel in board.panels if isinstance(panel, TablePanel))
    found = (
        Key(action.key, f"{action.label}: the row selected in {panel.title}")
        for panel in tables
        for action in panel.actions
        if action.key
    )
    return list(dict.fromkeys(found))


class KeysDialog(QDialog):
    """Shown with `open()`; Esc closes it."""

    def __init__(self, keys: Sequence[Key], theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.setAccessibleName("Keys")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 28, 24)
        column.setSpacing(14)
        heading = QLabel("Keys", self)
        heading.setFont(theme.font("heading"))
        column.addWidget(heading)
        rows = QGridLayout()
        rows.setHorizontalSpacing(18)
        rows.setVerticalSpacing(7)
        for at, key in enumerate(keys):
            cap, words = QLabel(key.keys, self), QLabel(key.words, self)
            cap.setObjectName("key")
            words.setObjectName("dim")
            rows.addWidget(cap, at, 0, Qt.AlignmentFlag.AlignLeft)
            rows.addWidget(words, at, 1)
        column.addLayout(rows)
