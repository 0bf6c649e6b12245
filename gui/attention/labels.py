"""Labels for text from elsewhere: plain, wrapped, and never wider than there is room for."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from gui.theme.theme import Theme
from gui.widgets.plain import PlainLabel


def plain(parent: QWidget, theme: Theme, kind: str = "", style: str = "body") -> PlainLabel:
    """`kind` is the stylesheet's name for it: "dim", "differs" or "fieldProblem"."""
    label = PlainLabel(parent=parent)
    label.setObjectName(kind)
    label.setWordWrap(True)
    label.setMinimumWidth(1)
    label.setFont(theme.font(style))
    return label
