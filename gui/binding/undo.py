"""Undo: Ctrl+Z withdraws the operator's last entry of this window, then the one before; Ctrl+Shift+Z enters it again.

An entry that the log refuses is not there to be withdrawn; one whose withdrawal is refused can be withdrawn again. What
was done is said in one line, which stays until something else is entered; and for some seconds what can be done now
(undo, redo) is offered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from zoneinfo import ZoneInfo

from PySide6.QtCore import QObject, Signal

from dataflow.board import Board, EventType, Field
from dataflow.session import Entered, EntryRefused, EntryRejected, Session, Told
from gui.attention.words import filling
from gui.forms.entry import filled
from gui.text.values import formatter, sentence
from storage.errors import StorageError


class Undo(QObject):
    """`message` tells what became of a key; empty when there is nothing to say any more. `offered` tells what was done
    and what takes it back: "undo", "redo" or "" for nothing; empty words when that does not hold any more.
    """

    message = Signal(str)
    offered = Signal(str, str)

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._entered: list[Told] = []
        self._withdrawn: list[Told] = []
        self._offered = ""
        self._tasks: set[asyncio.Task[None]] = set()

    def entered(self, entered: Entered) -> None:
        """The operator has entered something."""
        if entered.told is not None:
            self._entered.append(entered.told)
            self._withdrawn.clear()
            self.message.emit("")
            self._offer("Entered", entered.told, "undo")

    def lost(self, id: str) -> None:
        """An entry was refused, and is not in the views any more."""
        self._entered = [entry for entry in self._entered if entry.id != id]
        if id == self._offered:
            self.offered.emit("", "")

    def undo(self) -> None:
        """Withdraw the last entry."""
        if not self._entered:
            self.message.emit("There is nothing of yours to withdraw: you have entered nothing in this window")
            return
        entry = self._entered.pop()
        try:
            undone = self._session.withdraw(entry.id)
        except EntryRefused as refused:
            self._refuse(f"Not withdrawn: {self._name(entry)}. {sentence(str(refused))}")
            return
        self._withdrawn.append(entry)
        self.message.emit(f"Withdrawn: {self._name(entry)}. Ctrl+Shift+Z enters it again.")
        self._offer("Withdrawn", entry, "redo")
        self._watch(undone, lambda why: self._put_back(entry, why))

    def redo(self) -> None:
        """Enter again what was withdrawn last."""
        if not self._withdrawn:
            self.message.emit("There is nothing to enter again")
            return
        entry = self._withdrawn.pop()
        fields = filling(entry, self._session.board.events.get(entry.type) or EventType())
        try:
            again = self._session.enter(entry.type, fields, causation=entry.id)
        except EntryRefused as refused:
            self._refuse(f"Not entered again: {self._name(entry)}. {sentence(str(refused))}")
            return
        if again.told is not None:
            self._entered.append(again.told)
            self._offer("Entered again", again.told, "undo")
        self.message.emit(f"Entered again: {self._name(entry)}. Ctrl+Z withdraws it.")
        self._watch(again, lambda why: self._lose(again.id, entry, why))

    def close(self) -> None:
        """Let go of the session."""
        for task in self._tasks:
            task.cancel()

    def _offer(self, done: str, entry: Told, action: str) -> None:
        self._offered = entry.id
        self.offered.emit(f"{done}: {self._name(entry)}", action)

    def _refuse(self, words: str) -> None:
        self.message.emit(words)
        self.offered.emit(words, "")

    def _put_back(self, entry: Told, why: str) -> None:
        self._withdrawn = [each for each in self._withdrawn if each.id != entry.id]
        self._entered.append(entry)
        self._refuse(f"Not withdrawn: {self._name(entry)}. {sentence(why)}")

    def _lose(self, id: str, entry: Told, why: str) -> None:
        self.lost(id)
        self._refuse(f"Not entered again: {self._name(entry)}. {sentence(why)}")

    def _name(self, entry: Told) -> str:
        return entry_name(entry, self._session.board)

    def _watch(self, entered: Entered, failed: Callable[[str], None]) -> None:
        task = asyncio.ensure_future(_follow(entered, failed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _follow(entered: Entered, failed: Callable[[str], None]) -> None:
    """Say why, where it is not taken after all."""
    try:
        await entered.durable
        await entered.confirmed
    except StorageError as error:
        failed(str(error))
    except EntryRejected as rejected:
        failed(f"{rejected}: it needs attention (F8)")


def entry_name(entry: Told, board: Board) -> str:
    """"Hold UA1545": what an entry did, as the button said it that entered it, and to what."""
    event, zone = board.events.get(entry.type) or EventType(), ZoneInfo(board.timezone)
    declared = {name: event.fields.get(name, Field()) for name in entry.fields}
    texts = {name: formatter(field.type, None, zone, null="")(entry.fields[name]) for name, field in declared.items()}
    name = filled(event.submit or event.label or entry.type, texts)
    return f"{name} · {entry.subject}" if entry.subject and entry.subject not in name else name
