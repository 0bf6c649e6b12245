"""A number field: a line with its unit at the right; Up and Down count within the range."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from dataflow.board import Field
from gui.forms.text import TextBox
from gui.theme.theme import Theme

_PLAIN = (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
_STEPS = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}


class NumberBox(TextBox):
    """An int or a float, as text: whether it is one, and in its range, is for the schema to say."""

    def __init__(self, name: str, field: Field, theme: Theme, zone: ZoneInfo, parent: QWidget) -> None:
        super().__init__(name, field, theme, zone, parent)
        self.editor.setInputMethodHints(Qt.InputMethodHint.ImhFormattedNumbersOnly)
        self.editor.installEventFilter(self)

    def placeholder(self) -> str:
        return range_text(self.field) or super().placeholder()

    def value(self) -> Any:
        return plain_number(self.text()) or None

    def set_value(self, value: Any) -> None:
        super().set_value(f"{value:g}" if isinstance(value, float) else value)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = _STEPS.get(Qt.Key(event.key()))
            if step and event.modifiers() in _PLAIN:
                self._count(step)
                return True
        return super().eventFilter(watched, event)

    def _count(self, step: int) -> None:
        try:
            number = float(plain_number(self.text()) or 0) + step
        except ValueError:
            return
        self.set_value(within(number, self.field))
        self.edited.emit()


def plain_number(text: str) -> str:
    """The text as programs write it: a comma may have stood for the point, a true minus for the hyphen."""
    plain = text.replace("\u2212", "-").replace("\u202f", "").replace("\xa0", "").replace(" ", "")
    return plain.replace(",", ".")


def within(number: float, field: Field) -> float:
    """The number, or the end of the range that it lies beyond."""
    low = number if field.min is None else max(number, field.min)
    return low if field.max is None else min(low, field.max)


def range_text(field: Field) -> str:
    """"0 to 300", "at least 0", "at most 300"; empty where there is no range."""
    if field.min is not None and field.max is not None:
        return f"{field.min:g} to {field.max:g}"
    if field.min is not None:
        return f"at least {field.min:g}"
    return f"at most {field.max:g}" if field.max is not None else ""
