"""The keys of the window, and the dialog that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from dataflow.board import Board, TablePanel
from gui.theme.theme import Theme
from gui.widgets.plain import PlainLabel


class Key(NamedTuple):
    """Keys as people write them, words like "or" between them, and what they do."""

    caps: tuple[str, ...]
    words: str


_BETWEEN = {"or", "…"}

WINDOW_KEYS = (
    Key(("Ctrl+1", "…", "Ctrl+9"), "Go to a panel, by its place on the board"),
    Key(("Tab",), "Next panel or field"),
    Key(("E", "or", "Ctrl+N"), "Go to the entry form"),
    Key(("Enter",), "Submit the form (Ctrl+Enter in a field of several lines)"),
    Key(("Esc",), "Clear the form, then leave it"),
    Key(("Ctrl+Z",), "Withdraw your last entry, then the one before (in a text field: undo what you typed)"),
    Key(("Ctrl+Shift+Z",), "Enter again what you withdrew"),
    Key(("/", "or", "Ctrl+F"), "Filter the rows of a table; Esc shows all of them again"),
    Key(("Shift+S",), "Sort a table by the marked column: up, down, the board's own order"),
    Key(("Ctrl+C",), "Copy the selected rows, for a spreadsheet"),
    Key(("←", "or", "→"), "Mark a column of a table; read a line chart point by point"),
    Key(("Space",), "Hold or resume a replay"),
    Key(("F5",), "Build the views anew; try again what was set aside"),
    Key(("F8",), "What needs attention"),
    Key(("F9",), "How the board is connected, and how long entries take"),
    Key(("Ctrl+T",), "Dark or light"),
    Key(("F11",), "Full screen"),
    Key(("F1", "or", "?"), "These keys"),
    Key(("Ctrl+Q",), "Quit"),
)


def row_keys(board: Board) -> list[Key]:
    """The keys of the board's row actions."""
    tables = (panel for panel in board.panels if isinstance(panel, TablePanel))
    found = (
        Key((action.key,), f"{action.label}: the selected row of the table")
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
        heading = PlainLabel("Keys", self)
        heading.setFont(theme.font("heading"))
        column.addWidget(heading)
        rows = QGridLayout()
        rows.setHorizontalSpacing(18)
        rows.setVerticalSpacing(7)
        for at, key in enumerate(keys):
            words = PlainLabel(key.words, self)
            words.setObjectName("dim")
            rows.addLayout(self._caps(key), at, 0, Qt.AlignmentFlag.AlignLeft)
            rows.addWidget(words, at, 1)
        column.addLayout(rows)

    def _caps(self, key: Key) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(6)
        for text in key.caps:
            cap = PlainLabel(text, self)
            cap.setObjectName("dim" if text in _BETWEEN else "key")
            row.addWidget(cap)
        return row
