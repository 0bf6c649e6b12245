"""A text field of one line."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtWidgets import QWidget

from dataflow.board import Field
from gui.forms.field import FieldBox
from gui.forms.line import Line
from gui.theme.theme import Theme


class TextBox(FieldBox):
    """Text as it was typed, without the spaces around it."""

    editor: Line

    def __init__(self, name: str, field: Field, theme: Theme, zone: ZoneInfo, parent: QWidget) -> None:
        super().__init__(name, field, theme, zone, parent)
        line = Line(theme, self)
        line.setPlaceholderText(self.placeholder())
        line.set_hint(field.unit or "")
        line.textEdited.connect(self.edited)
        self._set_editor(line)

    def value(self) -> Any:
        return self.text() or None

    def set_value(self, value: Any) -> None:
        self.editor.setText("" if value is None else str(value))

    def text(self) -> str:
        return self.editor.text().strip()
