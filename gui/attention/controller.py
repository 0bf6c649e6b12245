"""Ties the dialog of what needs attention to a session: what it shows, and what its operator wants done."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from dataflow.board import Board
from dataflow.session import Entered, EntryRefused, EntryRejected, Session, Status
from gui.theme.theme import Theme
from storage.errors import StorageError

if TYPE_CHECKING:
    from gui.attention.dialog import AttentionDialog

REFRESH_MS = 250
"""How late what happened meanwhile is told, while the dialog is open."""

LIST_MS = 500
"""The list is read again so often at the most, however much comes: with 1,000 items that takes some 20 ms."""


class AttentionController(QObject):
    """Makes the dialog when it is wanted for the first time, and keeps it up to date while it is open. `entered` tells
    of each entry that was made anew, `lost` of one that was refused again, by its id.
    """

    entered = Signal(object)
    lost = Signal(str)

    def __init__(self, window: QWidget, theme: Theme, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._window, self._theme, self._session = window, theme, session
        self._board: Board | None = None
        self._status = Status()
        self._dialog: AttentionDialog | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._again = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._again.timeout.connect(self._refresh_meanwhile)
        self._list = QTimer(self, singleShot=True, interval=LIST_MS)
        self._list.timeout.connect(self._refresh_late)
        self._late = False

    def show_board(self, board: Board) -> None:
        """The board, and again when it was saved."""
        self._board = board
        if self._dialog is not None:
            self._dialog.show_board(board)

    def show_status(self, status: Status) -> None:
        """How the pipeline stands."""
        before, self._status = self._status, status
        if self._dialog is None or not self._dialog.isVisible():
            return
        self._dialog.set_now(status.now)
        if status.attention != before.attention:
            self._late = True
            if not self._list.isActive():
                self._refresh_late()
        if status.position != before.position and not self._again.isActive():
            self._again.start()

    def open(self) -> None:
        """Show the dialog."""
        if self._board is None:
            return
        if self._dialog is None:
            self._dialog = self._made(self._board)
        self._dialog.set_now(self._status.now)
        self._refresh()
        self._refresh_meanwhile()
        self._dialog.open()

    def close(self) -> None:
        """Let go of the session."""
        self._again.stop()
        self._list.stop()
        for task in self._tasks:
            task.cancel()
        if self._dialog is not None:
            self._dialog.hide()
            self._dialog.deleteLater()
            self._dialog = None

    def _made(self, board: Board) -> AttentionDialog:
        from gui.attention.dialog import AttentionDialog

        dialog = AttentionDialog(board, self._theme, self._window)
        dialog.meanwhile_wanted.connect(lambda key: self._run(self._tell_meanwhile(dialog, key)))
        dialog.again_wanted.connect(self._enter_again)
        dialog.raw_wanted.connect(lambda key: self._run(self._tell_raw(dialog, key)))
        dialog.copy_wanted.connect(lambda keys: self._run(self._copy(dialog, keys)))
        dialog.dismiss_wanted.connect(lambda keys: self._run(self._dismiss(dialog, keys)))
        dialog.restore_wanted.connect(lambda keys: self._run(self._restore(dialog, keys)))
        return dialog

    def _refresh(self) -> None:
        self._late = False
        if self._dialog is not None:
            try:
                self._dialog.show_items(self._session.attention(), self._status.attention)
            except StorageError as error:
                self._dialog.failed(str(error))

    def _refresh_late(self) -> None:
        """At once, and then not again until the time is over."""
        if self._late:
            self._refresh()
            self._list.start()

    def _refresh_meanwhile(self) -> None:
        dialog = self._dialog
        if dialog is not None and (key := dialog.current_entry()) is not None:
            self._run(self._tell_meanwhile(dialog, key))

    async def _tell_meanwhile(self, dialog: AttentionDialog, key: int) -> None:
        dialog.show_meanwhile(key, await self._session.meanwhile(key))

    async def _tell_raw(self, dialog: AttentionDialog, key: int) -> None:
        dialog.show_raw(key, self._session.raw(key))

    async def _copy(self, dialog: AttentionDialog, keys: Sequence[int]) -> None:
        QGuiApplication.clipboard().setText("\n".join(map(self._session.raw, keys)))
        dialog.copied()

    def _enter_again(self, key: int, fields: Mapping[str, Any] | None, seen: int) -> None:
        dialog = self._dialog
        if dialog is None:
            return
        try:
            entered = self._session.enter_again(key, fields, seen=seen)
        except EntryRefused as refused:
            dialog.refused(refused.problems)
            self._refresh()
        else:
            self.entered.emit(entered)
            self._run(self._watch(dialog, key, entered))

    async def _watch(self, dialog: AttentionDialog, key: int, entered: Entered) -> None:
        try:
            await entered.durable
        except StorageError:
            self.lost.emit(entered.id)
            raise
        dialog.entered(key)
        self._refresh()
        try:
            dialog.confirmed(await entered.confirmed)
        except EntryRejected as rejected:
            self.lost.emit(entered.id)
            self._refresh()
            dialog.select_entry(entered.id)
            dialog.failed(str(rejected))

    async def _dismiss(self, dialog: AttentionDialog, keys: Sequence[int]) -> None:
        items = [item for item in self._session.attention() if item.key in keys]
        await self._session.dismiss(keys)
        self._refresh()
        if items:
            dialog.dismissed(items)

    async def _restore(self, dialog: AttentionDialog, keys: Sequence[int]) -> None:
        await self._session.restore(keys)
        self._refresh()
        dialog.restored(keys)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(self._tell_failure(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_failure(self, work: Coroutine[Any, Any, None]) -> None:
        """A store that refuses is said in the dialog."""
        try:
            await work
        except StorageError as error:
            if self._dialog is not None:
                self._dialog.failed(str(error))
