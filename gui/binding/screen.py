"""The screen: a window and a session, tied together. Everything that one tells the other goes through here."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import QEvent, QObject, QTimer, Signal

from dataflow.board import Board
from dataflow.session import Session, Status
from gui.attention.controller import AttentionController
from gui.binding.bridge import Bridge
from gui.binding.garbage import GarbageCollector
from gui.binding.painted_frame import PaintedFrame
from gui.binding.undo import Undo
from gui.delays.controller import DelayController
from gui.window.main_window import MainWindow


class Screen(QObject):
    """Shows a session in a window until it is closed. `painted` tells when the first content is on the screen."""

    painted = Signal()

    def __init__(self, window: MainWindow, session: Session) -> None:
        super().__init__()
        self.bridge = Bridge(session, self)
        self._collector = GarbageCollector()
        self._frame = PaintedFrame(self)
        self._delays = DelayController(window, window.theme, session, self)
        self._window = window
        self._session = session
        self._board: Board | None = None
        self._first = True
        self._attention = AttentionController(window, window.theme, session, self)
        self._ready = asyncio.get_running_loop().create_future()
        self._undo = Undo(session, self)
        self._undo.message.connect(window.say)
        self._undo.offered.connect(window.offer)
        for source in (self.bridge, self._attention):
            source.entered.connect(self._undo.entered)
            source.lost.connect(self._undo.lost)
        window.undo_wanted.connect(self._undo.undo)
        window.redo_wanted.connect(self._undo.redo)
        window.pause_wanted.connect(session.pause)
        window.retry_wanted.connect(session.retry)
        window.attention_wanted.connect(self._attention.open)
        window.delays_wanted.connect(self._delays.open)
        window.panel_opened.connect(self.bridge.add)
        self.bridge.flushed.connect(self._flushed)
        self.bridge.shown.connect(self._frame.expect)
        window.painted.connect(self._frame.over)
        self._frame.painted.connect(session.painted)
        self.bridge.follow(session.boards, self._show_board)
        self.bridge.follow(session.status, self._show_status)
        self.bridge.follow(session.problems, window.set_problems)
        self.bridge.follow(session.presence, window.set_presence)

    async def settled(self) -> None:
        """Until everything that the log holds is in the panels."""
        await self._ready
        self.bridge.settle()

    def close(self) -> None:
        """Let go of the session; the window stays as it is, and another screen may take it up."""
        self._window.pause_wanted.disconnect(self._session.pause)
        self._window.retry_wanted.disconnect(self._session.retry)
        self._window.attention_wanted.disconnect(self._attention.open)
        self._window.delays_wanted.disconnect(self._delays.open)
        self._window.panel_opened.disconnect(self.bridge.add)
        self._window.undo_wanted.disconnect(self._undo.undo)
        self._window.redo_wanted.disconnect(self._undo.redo)
        self._window.removeEventFilter(self)
        self._window.painted.disconnect(self._frame.over)
        self._delays.close()
        self._attention.close()
        self._undo.close()
        self.bridge.close()
        self._collector.close()
        self._ready.cancel()

    def _show_board(self, board: Board) -> None:
        """The window already shows the board that it was made for; a reloaded one brings new panels."""
        panels = self._window.panels if self._board is None else self._window.show_board(board)
        self._board = board
        self._delays.show_board(board)
        self._attention.show_board(board)
        self.bridge.bind(panels)

    def _show_status(self, status: Status) -> None:
        loading = status.freshness == "loading"
        if loading:
            self.bridge.hold(True)
        self._window.set_status(status)
        if not loading:
            self.bridge.hold(False)  # panels that know already what their values are need not be dimmed first
        self._delays.show_status(status)
        if not (loading or self._ready.done()):
            self._ready.set_result(None)
        self._attention.show_status(status)

    def _flushed(self, bindings: int) -> None:
        if self._first and bindings:
            self._first = False
            self._window.installEventFilter(self)
            self._window.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The first content has been handed to the screen when the window's update request is done."""
        if event.type() == QEvent.Type.UpdateRequest:
            self._window.removeEventFilter(self)
            QTimer.singleShot(0, self, self.painted.emit)
            self._collector.settle()
        return False
