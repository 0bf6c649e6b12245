"""The entry form: an event type's fields, one under the other, and a button that says what it will do.

Enter submits, Ctrl+Enter where Enter makes a new line; Esc clears, and leaves where there is nothing to
clear. The form knows no session: it says `submitted`, and is told `accepted` or `refused`, later
`confirmed` or `failed`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from dataflow.board import EventType
from dataflow.session import Problem
from gui.forms import kinds
from gui.forms.field import FieldBox
from gui.forms.outcome import Outcome
from gui.forms.sheet import Sheet
from gui.text.values import sentence
from gui.theme.theme import Theme
from gui.widgets.painting import Guarded
from gui.widgets.plain import without_keys

_GAP = 12
_NAMED = re.compile(r"\{(\w+)\}")


class EntryForm(Guarded, QWidget):
    """The form of one event type."""

    submitted = Signal(str, dict)       # (event type, field → value or text, None for nothing)
    left = Signal()                     # Esc with nothing to clear

    def __init__(self, type: str, event: EventType, theme: Theme, zone: ZoneInfo, parent: QWidget) -> None:
        super().__init__(parent)
        self.type = type
        self.event_type = event
        self.fields: dict[str, FieldBox] = {}
        self._sent: dict[str, str] = {}
        self._sheet = Sheet(self)
        self._add_fields(theme, zone)
        self.button = QPushButton(self)
        self.button.setObjectName("submit")
        self.button.clicked.connect(self.submit)
        self.outcome = Outcome(theme, self)
        self._arrange()
        self.clear()

    def _add_fields(self, theme: Theme, zone: ZoneInfo) -> None:
        for name, field in self.event_type.fields.items():
            box = kinds.make(name, field, theme, zone, self._sheet.ground)
            box.edited.connect(self._edited)
            self.fields[name] = box
        self._sheet.set_boxes(list(self.fields.values()))

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._sheet)
        column.addSpacing(_GAP)
        column.addWidget(self.button)
        column.addWidget(self.outcome)
        column.addStretch(1)

    # What the operator does

    def submit(self) -> None:
        """Ask for the entry to be made, unless a field cannot even be read."""
        values, problems = self._read()
        if problems:
            self.refused(problems)
            return
        self.refused(())
        self._sent = {name: box.text() for name, box in self.fields.items()}
        self.submitted.emit(self.type, values)

    def clear(self) -> None:
        """Every field back to its default."""
        for box in self.fields.values():
            box.reset()
        self._name_button()

    def blank(self) -> bool:
        """Whether there is nothing to clear."""
        return not any(box.has_problem() or box.changed() for box in self.fields.values())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.submit()
        elif event.key() == Qt.Key.Key_Escape:
            self._escape()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        taken = _GAP + self.button.sizeHint().height() + self.outcome.sizeHint().height()
        self._sheet.fit(event.size().width(), event.size().height() - taken)

    def _escape(self) -> None:
        if self.blank():
            self.left.emit()
        else:
            self.clear()
            self.outcome.clear()
            self.focus()

    def _edited(self) -> None:
        box = self.sender()
        if isinstance(box, FieldBox):
            box.show_problem(None)
        self.outcome.clear()
        self._name_button()

    # What it is told

    def fill(self, values: Mapping[str, Any]) -> None:
        """Defaults, and over them these values; the keyboard goes to the first field that is still to be filled."""
        self.put(values)
        empty = (box for name, box in self._asking() if name not in values and not box.text())
        self.focus(next(empty, None))

    def put(self, values: Mapping[str, Any]) -> None:
        """Defaults, and over them these values; the keyboard stays where it is."""
        self.clear()
        self.outcome.clear()
        for name, value in values.items():
            if name in self.fields and value is not None:
                self.fields[name].set_value(value)
        self._name_button()

    def draft(self) -> dict[str, str]:
        """What was entered and not yet submitted, as text; `put` takes it back."""
        return {name: box.text() for name, box in self.fields.items() if box.changed()}

    def set_now(self, now: int) -> None:
        """The board's clock."""
        for box in self.fields.values():
            box.set_now(now)

    def focus(self, box: FieldBox | None = None) -> None:
        """Put the keyboard into this field, or else into the first that has no default, or else into the first."""
        box = box or next((box for _, box in self._asking()), next(iter(self.fields.values()), None))
        if box is None:
            self.button.setFocus(Qt.FocusReason.TabFocusReason)
            return
        box.focus()
        self._sheet.ensureWidgetVisible(box)

    def _asking(self) -> Iterator[tuple[str, FieldBox]]:
        """The fields that nothing stands in for where the operator enters nothing."""
        return ((name, box) for name, box in self.fields.items() if self.event_type.fields[name].default is None)

    def accepted(self) -> None:
        """The entry is taken, and pending: ready for the next one."""
        self.clear()
        self.focus()
        self.outcome.pending()

    def refused(self, problems: Sequence[Problem]) -> None:
        """Nothing was written: say why under each field, and go to the first that is wrong."""
        by_field = {problem.field: sentence(problem.message) for problem in reversed(problems)}
        for name, box in self.fields.items():
            box.show_problem(by_field.pop(name, None))
        self.outcome.clear()
        if by_field:
            self.outcome.failed(" ".join(by_field.values()))
        wrong = next((box for box in self.fields.values() if box.has_problem()), None)
        if wrong:
            self.focus(wrong)

    def failed(self, reason: str) -> None:
        """The entry could not be kept: say why, and give back what was entered, unless another was begun."""
        if self.blank():
            self.put({name: text for name, text in self._sent.items() if text})
        self.outcome.failed(reason)

    def _read(self) -> tuple[dict[str, Any], list[Problem]]:
        values: dict[str, Any] = {}
        problems = []
        for name, box in self.fields.items():
            try:
                values[name] = box.value()
            except ValueError as error:
                problems.append(Problem(name, str(error)))
        return values, problems

    def _name_button(self) -> None:
        words = self.event_type.submit or self.event_type.label or "Enter"
        words = filled(words, {name: box.text() for name, box in self.fields.items()})
        if words != self.button.accessibleName():
            self.button.setText(without_keys(words))
            self.button.setAccessibleName(words)


def filled(words: str, values: Mapping[str, str]) -> str:
    """The words with each `{field}` filled in; "Hold {flight}" is "Hold" while that is empty."""
    return " ".join(_NAMED.sub(lambda found: values.get(found[1], ""), words).split())
