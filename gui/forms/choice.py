"""A field with given choices: a list that opens, and that goes to what is typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QCompleter, QStyledItemDelegate, QWidget

from dataflow.board import Field
from gui.forms.field import FieldBox
from gui.theme.icons import icon
from gui.theme.theme import Theme
from gui.widgets.painting import Guarded

_MANY = 9
_CHEVRON = 14


class Choice(Guarded, QComboBox):
    """Qt's combo box, with our chevron: a stylesheet cannot tint one. The wheel is left to the form."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setItemDelegate(QStyledItemDelegate(self))
        self.setMaxVisibleItems(14)
        self.setMinimumContentsLength(4)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    def set_choices(self, words: Sequence[str]) -> None:
        """Offer these. Where there are many, typing narrows them down."""
        self.addItems(list(words))
        if len(words) > _MANY:
            self.setEditable(True)
            self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
            completer = QCompleter(list(words), self)
            completer.setFilterMode(Qt.MatchFlag.MatchContains)
            completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
            if popup := completer.popup():
                popup.setObjectName("popup")
            self.setCompleter(completer)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete) and not self.isEditable():
            self.setCurrentIndex(-1)
            self.activated.emit(-1)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape):
            event.ignore()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        with QPainter(self) as painter:
            picture = icon("chevron-down", self._theme.color("dim"), _CHEVRON, self.devicePixelRatioF())
            painter.drawImage(QPoint(self.width() - _CHEVRON - 9, (self.height() - _CHEVRON) // 2), picture)


class ChoiceBox(FieldBox):
    """One of the field's choices."""

    editor: Choice

    def __init__(self, name: str, field: Field, theme: Theme, zone: ZoneInfo, parent: QWidget) -> None:
        super().__init__(name, field, theme, zone, parent)
        self._choices = list(field.choices or [])
        choice = Choice(theme, self)
        choice.set_choices([str(each) for each in self._choices])
        choice.setPlaceholderText(self.placeholder())
        if edit := choice.lineEdit():
            edit.setPlaceholderText(self.placeholder())
            edit.setAccessibleName(self.words)
        choice.setCurrentIndex(-1)
        choice.activated.connect(self.edited)
        choice.editTextChanged.connect(self.edited)
        self._set_editor(choice)

    def placeholder(self) -> str:
        return super().placeholder() or "choose"

    def value(self) -> Any:
        if not self.text():
            return None
        at = self.editor.findText(self.text(), Qt.MatchFlag.MatchFixedString)
        return self._choices[at] if at >= 0 else self.text()

    def set_value(self, value: Any) -> None:
        at = next((at for at, each in enumerate(self._choices) if value in (each, str(each))), -1)
        self.editor.setCurrentIndex(at)
        if self.editor.isEditable() and at < 0:
            self.editor.setEditText("" if value is None else str(value))

    def text(self) -> str:
        return self.editor.currentText().strip()
