"""A yes or no field: a check box whose words are the field's label."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QCheckBox, QStyle, QStyleOptionButton, QWidget

from dataflow.board import Field
from gui.forms.field import FieldBox
from gui.theme.icons import icon
from gui.theme.theme import Theme
from gui.widgets.painting import Guarded
from gui.widgets.plain import without_keys


class Check(Guarded, QCheckBox):
    """Qt's check box, with our tick: a stylesheet cannot tint one."""

    def __init__(self, words: str, theme: Theme, parent: QWidget) -> None:
        super().__init__(without_keys(words), parent)
        self._theme = theme

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.isChecked():
            return
        option = QStyleOptionButton()
        self.initStyleOption(option)
        box = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self)
        with QPainter(self) as painter:
            picture = icon("check", self._theme.color("on_accent"), 12, self.devicePixelRatioF())
            painter.drawImage(QRectF(box.center().x() - 5, box.center().y() - 5, 12, 12), picture)


class FlagBox(FieldBox):
    """True or False; never NULL."""

    editor: Check

    def __init__(self, name: str, field: Field, theme: Theme, zone: ZoneInfo, parent: QWidget) -> None:
        super().__init__(name, field, theme, zone, parent)
        check = Check(self.words, theme, self)
        check.toggled.connect(self.edited)
        self._set_editor(check)
        self._label.hide()

    def value(self) -> Any:
        return self.editor.isChecked()

    def set_value(self, value: Any) -> None:
        self.editor.setChecked(value is True or str(value).lower() in {"true", "yes", "1"})

    def text(self) -> str:
        return "yes" if self.editor.isChecked() else "no"
