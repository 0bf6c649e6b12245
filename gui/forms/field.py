"""One field of an entry form: its label, its editor, and below them what is wrong with what was entered."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from dataflow.board import Field
from gui.theme.theme import Theme
from gui.widgets.plain import PlainLabel, set_tip, without_keys


class FieldBox(QWidget):
    """Subclasses make an editor, hand it to `_set_editor`, and read and write it."""

    edited = Signal()

    def __init__(self, name: str, field: Field, theme: Theme, zone: ZoneInfo, parent: QWidget) -> None:
        super().__init__(parent)
        self.name = name
        self.field = field
        self.theme = theme
        self.zone = zone
        self.words = field.label or name.replace("_", " ").capitalize()
        self._initial = ""
        self._remark: PlainLabel | None = None
        words = without_keys(self.words)
        self._label = PlainLabel(f"{words} *" if self.must() else words, self)
        self._label.setObjectName("fieldLabel")
        self._problem = PlainLabel(parent=self)
        self._problem.setObjectName("fieldProblem")
        self._problem.setWordWrap(True)
        self._problem.hide()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(3)
        self._column.addWidget(self._label)
        self._column.addWidget(self._problem)

    def show_remark(self, remark: str | None) -> None:
        """Say something about this field at the right of its label; None: nothing."""
        if self._remark is None:
            self._remark = PlainLabel(parent=self)
            self._remark.setObjectName("differs")
            self._remark.setFont(self.theme.font("small"))
            self._remark.setMinimumWidth(1)
            row = QHBoxLayout()
            row.addWidget(self._label)
            row.addWidget(self._remark, 1, Qt.AlignmentFlag.AlignRight)
            self._column.insertLayout(0, row)
        self._remark.setText(remark or "")
        self._remark.setVisible(bool(remark))

    def _set_editor(self, editor: QWidget) -> None:
        self.editor = editor
        self._label.setBuddy(editor)
        self._column.insertWidget(1, editor)
        editor.setAccessibleName(f"{self.words}, required" if self.must() else self.words)
        set_tip(editor, self.field.help or "")

    def must(self) -> bool:
        """Whether the operator has to say something here: there is no default for it."""
        return self.field.required and self.field.default is None

    def placeholder(self) -> str:
        """What an empty editor says."""
        if self.field.default in ("auto", "now"):
            return "a fresh id" if self.field.default == "auto" else "now"
        return self.field.help or ("" if self.field.required else "optional")

    def value(self) -> Any:
        """What was entered, None for nothing. Raises ValueError, with words for people, if it cannot be read."""
        raise NotImplementedError

    def set_value(self, value: Any) -> None:
        """Show a value, None for nothing."""
        raise NotImplementedError

    def text(self) -> str:
        """What was entered, as it stands: for the words of the button."""
        raise NotImplementedError

    def short(self) -> bool:
        """Whether half a line is enough for it."""
        return self.field.type not in {"text", "json"} or bool(self.field.choices)

    def plain_height(self) -> int:
        """How high it is while nothing is wrong."""
        label = 0 if self._label.isHidden() else self._label.sizeHint().height() + self._column.spacing()
        return label + self.editor.sizeHint().height()

    def set_now(self, now: int) -> None:
        """The board's clock; for those who care."""

    def reset(self) -> None:
        """Back to the default."""
        self.set_value(None if self.field.default in ("auto", "now") else self.field.default)
        self.show_problem(None)
        self._initial = self.text()

    def changed(self) -> bool:
        """Whether it holds anything but its default."""
        return self.text() != self._initial

    def show_problem(self, message: str | None) -> None:
        """Say what is wrong with this field; None: nothing."""
        self._problem.setText(message or "")
        self._problem.setVisible(bool(message))
        if bool(self.editor.property("problem")) != bool(message):
            self.editor.setProperty("problem", bool(message))
            self.editor.style().unpolish(self.editor)
            self.editor.style().polish(self.editor)
        self.editor.setAccessibleDescription(message or self.field.help or "")

    def has_problem(self) -> bool:
        """Whether a problem is shown."""
        return not self._problem.isHidden()

    def focus(self) -> None:
        """Put the keyboard here."""
        self.editor.setFocus(Qt.FocusReason.TabFocusReason)
