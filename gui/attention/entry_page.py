"""A refused entry: what it said, why it was refused, what happened meanwhile; and the form to change it in."""

from __future__ import annotations

from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from dataflow.board import EventType
from dataflow.session import Attention, Meanwhile, Told
from gui.attention.fields import Fields
from gui.attention.labels import plain
from gui.attention.lines import Line, LineList
from gui.attention.words import Words, filling, short
from gui.forms.entry import EntryForm
from gui.theme.theme import Theme

_LOWEST = 96


class ChangeForm(EntryForm):
    """Esc leaves it as it is: what it was filled with is not to be cleared away."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class EntryPage(QWidget):
    """Shows one item at a time. `meanwhile` is None until it has been told."""

    submitted = Signal(dict)        # field → value or text: enter it so
    left = Signal()                 # the form, without entering anything

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._item: Attention | None = None
        self._now = 0
        self.meanwhile: Meanwhile | None = None
        self.form: ChangeForm | None = None
        self._heading = plain(self, theme, style="heading")
        self._byline = plain(self, theme, "dim")
        self._reason = plain(self, theme, "differs", "medium")
        self._fields = Fields(theme, self)
        self._since = plain(self, theme, "dim", "small")
        self._story = LineList("What happened meanwhile", theme, self)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        for widget, gap in (
            (self._heading, 3), (self._byline, 10), (self._reason, 16), (self._fields, 18), (self._since, 6),
        ):  # fmt: skip
            self._column.addWidget(widget)
            self._column.addSpacing(gap)
        self._column.addWidget(self._story, 1000)
        self._column.addStretch(1)

    def show_item(self, item: Attention, words: Words) -> None:
        """Show this entry; what happened meanwhile is told after it."""
        same = self._item is not None and self._item.key == item.key
        self._item, self._words = item, words
        if not same:
            self.meanwhile = None
        entry = _entry(item)
        self._heading.setText(words.name(entry))
        self._byline.setText(f"Entered {words.moment(entry.time)} by {short(entry.author)}")
        self._reason.setText(words.reason(item))
        self._reason.setObjectName("differs" if item.stale else "fieldProblem")
        self._reason.style().polish(self._reason)
        self._tell()

    def show_meanwhile(self, meanwhile: Meanwhile) -> None:
        """What happened to its entity since its operator saw it."""
        new = self.meanwhile is None or meanwhile.events != self.meanwhile.events
        self.meanwhile = meanwhile
        if new:
            self._tell()
            self._story.scrollToBottom()

    def key(self) -> int | None:
        """Which item is shown."""
        return None if self._item is None else self._item.key

    def set_now(self, now: int) -> None:
        """The board's clock."""
        self._now = now
        if self.form is not None:
            self.form.set_now(now)

    def change(self, event: EventType, zone: ZoneInfo) -> None:
        """Put the entry into its form, with the keyboard at the first field that others changed."""
        if self._item is None:
            return
        entry = _entry(self._item)
        form = ChangeForm(entry.type, event, self._theme, zone, self)
        form.button.setAutoDefault(False)
        form.submitted.connect(lambda _, fields: self.submitted.emit(fields))
        form.left.connect(self.left)
        form.set_now(self._now)
        form.put(filling(entry, event))
        self.form = form
        self._column.replaceWidget(self._fields, form)
        self._fields.hide()
        form.show()
        self.setTabOrder(form.button, self._story)
        self._story.scrollToBottom()
        remarks = self._remark(form, entry)
        form.focus(next((box for name, box in form.fields.items() if name in remarks), None))

    def _remark(self, form: ChangeForm, entry: Told) -> dict[str, str]:
        """Say at each field what others say of it by now."""
        remarks = self._words.remarks(entry, self.meanwhile.events if self.meanwhile else ())
        for name, box in form.fields.items():
            box.show_remark(f"Meanwhile {remarks[name]}" if name in remarks else None)
        return remarks

    def renew(self, words: Words, zone: ZoneInfo) -> None:
        """The board was saved: its form may have other fields. What was typed is kept."""
        if self._item is None or self.form is None:
            return
        draft, event = self._typed(), words.events.get(_entry(self._item).type)
        self.end_change()
        if event is not None and event.entry:
            self.change(event, zone)
            if self.form is not None:
                self.form.put(draft)

    def end_change(self) -> None:
        """Show the fields in the form's place again."""
        if self.form is not None:
            self._column.replaceWidget(self.form, self._fields)
            self.form.hide()
            self.form.deleteLater()
            self.form = None
            self._fields.show()

    def _typed(self) -> dict[str, Any]:
        return {name: box.text() for name, box in self.form.fields.items()} if self.form is not None else {}

    def _tell(self) -> None:
        if self._item is None:
            return
        entry, known = _entry(self._item), self.meanwhile
        events = known.events if known else ()
        self._fields.show_fields(self._words.fields(entry, events))
        self._story.show_things(events, partial(self._line, entry))
        self._story.setVisible(bool(events))
        high = self._story.content_height()
        self._story.setMinimumHeight(min(_LOWEST, high))
        self._story.setMaximumHeight(high)
        if self.form is not None:
            self._remark(self.form, entry)
        self._since.setText(self._since_words(entry, known, self._item.stale))

    def _since_words(self, entry: Told, known: Meanwhile | None, stale: bool) -> str:
        """A stale entry's refusal may come a moment before the views hold what made it stale."""
        about = short(entry.subject or "it")
        if known is None or (stale and not known.events):
            return f"Looking for what happened to {about} since …"
        if not known.events:
            return f"Nothing has happened to {about} since."
        more = f", the last {len(known.events):,} of {known.earlier + len(known.events):,}" if known.earlier else ""
        return f"What happened to {about} since{more}"

    def _line(self, entry: Told, told: Told) -> Line:
        return Line(
            self._words.label(told), self._words.line(told), told.author, self._words.moment(told.time, entry.time)
        )


def _entry(item: Attention) -> Told:
    if item.entry is None:
        raise ValueError("only an entry is shown on this page")
    return item.entry
