"""A text field of several lines. Enter makes a new line there; Ctrl+Enter submits, Tab goes on."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from dataflow.board import Field
from gui.forms.field import FieldBox
from gui.theme.theme import Theme

_HEIGHT = 62


class Lines(QPlainTextEdit):
    """Leaves Ctrl+Enter to the form."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.ignore()
        else:
            super().keyPressEvent(event)


class MultilineBox(FieldBox):
    """Text as it was typed, without the space around it."""

    editor: Lines

    def __init__(self, name: str, field: Field, theme: Theme, zone: ZoneInfo, parent: QWidget) -> None:
        super().__init__(name, field, theme, zone, parent)
        lines = Lines(self)
        lines.setTabChangesFocus(True)
        lines.setFixedHeight(_HEIGHT)
        lines.setPlaceholderText(self.placeholder())
        lines.textChanged.connect(self.edited)
        self._set_editor(lines)

    def value(self) -> Any:
        return self.text() or None

    def set_value(self, value: Any) -> None:
        self.editor.setPlainText("" if value is None else str(value))

    def text(self) -> str:
        return self.editor.toPlainText().strip()
