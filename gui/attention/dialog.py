"""Needs attention: refused entries, messages that are no events, events that do not fit; and what to do with each.

It knows no session: it is told what there is, and says by signals what the operator wants. Up and Down go through the
list, Enter to the actions, Delete discards, Ctrl+Z takes that back, Esc leaves the form and then the dialog.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from dataflow.board import Board
from dataflow.session import Attention, EntryRefused, Meanwhile, Problem
from gui.attention.actions import Actions
from gui.attention.entry_page import EntryPage
from gui.attention.lines import LineList, item_line
from gui.attention.message_page import MessagePage
from gui.attention.words import Words, short_sentence
from gui.theme.theme import Theme
from gui.widgets.plain import PlainLabel

_NONE = "Nothing needs attention. Events that do not fit and entries that were refused would be listed here."
_SIZE, _LIST = (960, 640), 330


class AttentionDialog(QDialog):
    """Shown with `open()`. `again_wanted` tells the item's key, other fields or None, and up to which position the
    operator has seen what happened meanwhile.
    """

    again_wanted = Signal(int, object, int)
    dismiss_wanted = Signal(list)           # keys
    restore_wanted = Signal(list)           # keys
    meanwhile_wanted = Signal(int)          # an entry's key
    raw_wanted = Signal(int)                # a message's key
    copy_wanted = Signal(list)              # keys

    def __init__(self, board: Board, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._items: tuple[Attention, ...] = ()
        self._undoable: list[int] = []
        self._sent: int | None = None       # what is being entered again, until it is durable or refused
        self._followed = False              # the outcome speaks of an entry that is not confirmed yet
        self._heading = PlainLabel(parent=self)
        self._heading.setFont(theme.font("heading"))
        self._list = LineList("What needs attention", theme, self)
        self._list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._list.setFixedWidth(_LIST)
        self._pages = QStackedWidget(self)
        self._entry, self._message = EntryPage(theme, self), MessagePage(theme, self)
        self._note = PlainLabel(parent=self)
        self._actions = Actions(theme, self)
        self._set_up()
        self._arrange()
        self.show_board(board)

    def _set_up(self) -> None:
        self.setWindowTitle("Needs attention")
        self.setAccessibleName("Needs attention")
        self.resize(*_SIZE)
        self._note.setObjectName("dim")
        self._note.setWordWrap(True)
        self._note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._list.chosen.connect(self._show_selected)
        self._entry.submitted.connect(self._submit)
        self._entry.left.connect(self._leave_form)
        actions = self._actions
        buttons: tuple[tuple[QPushButton, Callable[[], object]], ...] = (
            (actions.again, lambda: self._submit(None)), (actions.change, self._change), (actions.undo, self._undo),
            (actions.dismiss, self._dismiss), (actions.copy, self._copy), (actions.back, self._leave_form),
        )  # fmt: skip
        for button, act in buttons:
            button.clicked.connect(act)

    def _arrange(self) -> None:
        for page in (self._entry, self._message, self._note):
            self._pages.addWidget(page)
        middle = QHBoxLayout()
        middle.setSpacing(22)
        middle.addWidget(self._list)
        middle.addWidget(self._pages, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(14)
        column.addWidget(self._heading)
        column.addLayout(middle, 1)
        column.addWidget(self._actions)

    # What it is told

    def show_board(self, board: Board) -> None:
        """The board's words, labels and zone; again when it was saved."""
        self._words, self._zone = Words(board), ZoneInfo(board.timezone)
        self._line = partial(item_line, words=self._words)
        self._entry.renew(self._words, self._zone)
        self.show_items(self._items)

    def show_items(self, items: Sequence[Attention], count: int | None = None) -> None:
        """Show these, of `count` in all. What was selected stays selected, or else its neighbour is."""
        row, kept = self._list.current_row(), {item.key for item in self._selected()}
        self._items = tuple(items)
        total = max(count or 0, len(items))
        shown = f" · the newest {len(items):,} are shown" if total > len(items) else ""
        self._heading.setText(f"Needs attention: {total:,}{shown}" if items else "Needs attention")
        if self._list.show_things(items, self._line):
            rows = [at for at, item in enumerate(items) if item.key in kept]
            self._list.select_rows(rows or [min(max(row, 0), len(items) - 1)] if items else [])
        self._show_selected()

    def show_meanwhile(self, key: int, meanwhile: Meanwhile) -> None:
        """What happened to an entry's entity since its operator saw it."""
        if self.current_entry() == key:
            self._entry.show_meanwhile(meanwhile)
            self._offer()

    def show_raw(self, key: int, text: str) -> None:
        """All of what came."""
        if [item.key for item in self._selected()] == [key]:
            self._message.show_raw(text)

    def copied(self) -> None:
        """It is in the clipboard."""
        self._forget_undo()
        self._followed = False
        self._actions.outcome.settled("Copied")

    def set_now(self, now: int) -> None:
        """The board's clock."""
        self._entry.set_now(now)

    def select_entry(self, id: str) -> None:
        """Go to the refused entry with this id, unless the operator is busy with another one."""
        at = next((at for at, item in enumerate(self._items) if item.entry and item.entry.id == id), None)
        if at is not None and self._entry.form is None:
            self._list.select_rows([at])
            self._show_selected()

    def refused(self, problems: Sequence[Problem]) -> None:
        """Nothing was entered, and why."""
        self._arrived()
        if self._entry.form is not None:
            self._entry.form.refused(problems)
        else:
            self._actions.outcome.failed(short_sentence(str(EntryRefused(problems))))

    def entered(self, key: int) -> None:
        """It is on disk, in the refused one's place."""
        if self._entry.key() == key:
            self._entry.end_change()
        self._arrived()
        self._forget_undo()
        self._focus_list()
        self._actions.outcome.pending()
        self._followed = True

    def confirmed(self, position: int) -> None:
        """The log gave it a position; not worth a word to who has done something else since."""
        if self._followed:
            self._actions.outcome.confirmed(position, None)

    def failed(self, reason: str) -> None:
        """What was wanted could not be done."""
        self._arrived()
        self._actions.outcome.failed(short_sentence(reason))

    def dismissed(self, items: Sequence[Attention]) -> None:
        """They are settled; Undo brings them back."""
        self._undoable = [item.key for item in items]
        verb = "Discarded" if any(item.entry for item in items) else "Dismissed"
        what = self._words.title(items[0]) if len(items) == 1 else f"{len(items):,} items"
        self._followed = False
        self._actions.outcome.settled(f"{verb}: {what}")
        self._actions.undo.show()
        self._focus_list()

    def restored(self, keys: Sequence[int]) -> None:
        """They need attention again."""
        self._forget_undo()
        self._actions.outcome.clear()
        self._list.select_rows([at for at, item in enumerate(self._items) if item.key in keys])
        self._show_selected()
        self._focus_list()

    def current_entry(self) -> int | None:
        """The key of the refused entry that is shown."""
        selected = self._selected()
        return selected[0].key if len(selected) == 1 and selected[0].entry else None

    # What the operator does

    def keyPressEvent(self, event: QKeyEvent) -> None:
        focus = self.focusWidget()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if isinstance(focus, QPushButton):
                focus.click()
            elif focus is self._list and (button := self._actions.first()):
                button.setFocus(Qt.FocusReason.TabFocusReason)
        elif event.key() == Qt.Key.Key_Delete and focus is self._list:
            self._dismiss()
        elif event.matches(QKeySequence.StandardKey.Undo):
            self._undo()
        elif event.matches(QKeySequence.StandardKey.Copy):
            self._copy()
        else:
            super().keyPressEvent(event)

    def reject(self) -> None:
        if self._entry.form is not None:
            self._leave_form()
        else:
            super().reject()

    def _submit(self, fields: dict[str, object] | None) -> None:
        key, known = self.current_entry(), self._entry.meanwhile
        if key is not None and known is not None and self._sent is None:
            self._sent = key
            self._offer()
            self.again_wanted.emit(key, fields, known.until)

    def _arrived(self) -> None:
        self._sent, self._followed = None, False
        self._offer()

    def _change(self) -> None:
        (item,) = self._selected()
        if item.entry is not None and self._words.may_enter(item.entry.type):
            self._list.setEnabled(False)
            self._entry.change(self._words.events[item.entry.type], self._zone)
            self._offer()

    def _leave_form(self) -> None:
        self._entry.end_change()
        self._focus_list()
        self._offer()

    def _dismiss(self) -> None:
        if keys := [item.key for item in self._selected()]:
            self.dismiss_wanted.emit(keys)

    def _undo(self) -> None:
        if self._undoable:
            self.restore_wanted.emit(self._undoable)

    def _copy(self) -> None:
        if keys := [item.key for item in self._selected()]:
            self.copy_wanted.emit(keys)

    # What is selected

    def _selected(self) -> list[Attention]:
        return [self._items[row] for row in self._list.selected_rows() if row < len(self._items)]

    def _show_selected(self) -> None:
        selected = self._selected()
        if self._entry.form is not None and (len(selected) != 1 or selected[0].key != self._entry.key()):
            self._entry.end_change()
        if len(selected) == 1:
            self._show(selected[0])
        else:
            self._note.setText(f"{len(selected):,} are selected" if selected else _NONE if not self._items else "")
            self._pages.setCurrentWidget(self._note)
        self._list.setVisible(bool(self._items))
        self._offer()

    def _show(self, item: Attention) -> None:
        page = self._message if item.entry is None else self._entry
        page.show_item(item, self._words)
        self._pages.setCurrentWidget(page)
        if item.entry is None:
            self.raw_wanted.emit(item.key)
        elif self._entry.meanwhile is None:
            self.meanwhile_wanted.emit(item.key)

    def _offer(self) -> None:
        """The buttons that fit what is selected."""
        selected, changing = self._selected(), self._entry.form is not None
        entry = selected[0].entry if len(selected) == 1 else None
        enterable = entry is not None and self._words.may_enter(entry.type) and self._sent is None
        self._list.setEnabled(not changing)
        self._actions.fit(selected, enterable, self._entry.meanwhile is not None, changing)

    def _focus_list(self) -> None:
        self._list.setEnabled(self._entry.form is None)
        self._list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _forget_undo(self) -> None:
        self._undoable = []
        self._actions.undo.hide()
