"""Entry forms in a card: one at a time, with a choice above them where there are several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from dataflow.board import EventType, FormPanel
from dataflow.session import Problem
from gui.forms.choice import Choice
from gui.forms.entry import EntryForm
from gui.panels.base import Panel
from gui.text.values import sentence
from gui.theme.theme import Theme


class Form(Panel):
    """`submitted` asks for an entry; the answer is `accepted` or `refused`, and then `confirmed`."""

    spec: FormPanel
    done = Signal()             # an entry was accepted
    left = Signal()             # Esc, with nothing to clear
    holds_values = False

    def __init__(
        self,
        spec: FormPanel,
        events: Mapping[str, EventType],
        theme: Theme,
        zone: ZoneInfo,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(spec, theme, zone, parent)
        self._choice = Choice(self.theme, self)
        self._stack = QStackedWidget(self)
        self._forms: dict[str, EntryForm] = {}
        self._submitting: EntryForm | None = None
        for type in spec.events:
            if type in events:
                self._add(type, events[type])
        self._offer()
        self._arrange()
        if not self._forms:
            self.set_note(spec.note or "")
            self.say("No form here. Name event types with entry = true in this panel's events.")

    def _add(self, type: str, event: EventType) -> None:
        form = EntryForm(type, event, self.theme, self.zone, self._stack)
        form.submitted.connect(self._submit)
        form.left.connect(self.left)
        self._forms[type] = form
        self._stack.addWidget(form)

    def _offer(self) -> None:
        self._choice.set_choices([form.event_type.label or type for type, form in self._forms.items()])
        self._choice.setAccessibleName("What to enter")
        self._choice.activated.connect(self._choose)
        self._choice.setVisible(len(self._forms) > 1)

    def _arrange(self) -> None:
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self._choice)
        column.addWidget(self._stack)
        self.set_body(body)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        if self.spec.note is None:
            self.set_note("Enter submits")

    def events(self) -> Sequence[str]:
        """The event types that can be entered here."""
        return tuple(self._forms)

    def form(self) -> EntryForm | None:
        """The form that is shown."""
        shown = self._stack.currentWidget()
        return shown if isinstance(shown, EntryForm) else None

    def hide_choice(self) -> None:
        """Whoever shows this form has chosen already."""
        self._choice.hide()

    def fill(self, event: str, values: Mapping[str, Any]) -> None:
        """Show the form of an event type, filled in (a row action), with the keyboard in it."""
        self._show(event)
        self._forms[event].fill(values)

    def drafts(self) -> dict[str, dict[str, str]]:
        """By event type, what was entered and not yet submitted."""
        return {type: draft for type, form in self._forms.items() if (draft := form.draft())}

    def put(self, drafts: Mapping[str, Mapping[str, str]]) -> None:
        """Take back drafts; the last one's form is shown."""
        for type in [type for type in drafts if type in self._forms]:
            self._forms[type].put(drafts[type])
            self._show(type)

    def focus(self) -> None:
        """Put the keyboard into the form's first field."""
        if form := self.form():
            form.focus()

    def set_now(self, now: int) -> None:
        super().set_now(now)
        for form in self._forms.values():
            form.set_now(now)

    def accepted(self) -> None:
        """The entry is in the outbox: the form is empty again, and says so."""
        if self._submitting:
            self._submitting.accepted()
        self.done.emit()

    def refused(self, problems: Sequence[Problem]) -> None:
        """Nothing was written; the form keeps what was entered."""
        if self._submitting:
            self._submitting.refused(problems)

    def confirmed(self, position: int, delay_ms: float | None) -> None:
        """The log gave an entry its position; not worth a word to who is at the next one already."""
        if self._submitting and self._submitting.outcome.text():
            self._submitting.outcome.confirmed(position, delay_ms)

    def rejected(self, reason: str) -> None:
        """The log refused the last entry; it is kept with what needs attention, so it is not given back here."""
        if self._submitting:
            self._submitting.outcome.failed(f"{sentence(reason)}: it needs attention (F8)")

    def failed(self, reason: str) -> None:
        """The last entry could not be kept, for a reason that is not its fault."""
        if self._submitting:
            self._submitting.failed(reason)

    def _show(self, type: str) -> None:
        self._choice.setCurrentIndex(list(self._forms).index(type))
        self._stack.setCurrentWidget(self._forms[type])

    def _submit(self, type: str, fields: dict[str, Any]) -> None:
        self._submitting = self._forms[type]
        self.submitted.emit(type, fields)

    def _choose(self, at: int) -> None:
        if 0 <= at < self._stack.count():
            self._stack.setCurrentIndex(at)
        self._choice.setCurrentIndex(self._stack.currentIndex())
