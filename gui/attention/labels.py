"""Labels for text from elsewhere: plain, wrapped, and never wider than there is room for."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from gui.theme import Theme


def plain(parent: QWidget, theme: Theme, kind: str = "", style: str = "body") -> QLabel:
    """`kind` is the stylesheet's name for it: "dim", "differs" or "fieldProblem"."""
    label = QLabel(parent)
    label.setObjectName(kind)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setMinimumWidth(1)
    label.setFont(theme.font(style))
    return label
