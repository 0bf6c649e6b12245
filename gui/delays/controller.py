"""Ties the delay dialog to a session: it is made when it is first wanted, and kept up to date while it is open."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from dataflow.board import Board
from dataflow.session import Session, Status
from gui.theme.theme import Theme

if TYPE_CHECKING:
    from gui.delays.dialog import DelayDialog


class DelayController(QObject):
    """Close it before the window goes."""

    def __init__(self, window: QWidget, theme: Theme, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._window, self._theme, self._session = window, theme, session
        self._status = Status()
        self._timezone = session.board.timezone
        self._dialog: DelayDialog | None = None

    def show_board(self, board: Board) -> None:
        """The board, and again when it was saved: its times may be those of another zone now."""
        if board.timezone != self._timezone:
            self._timezone = board.timezone
            self.close()

    def open(self) -> None:
        """Show how long entries took."""
        from gui.delays.dialog import DelayDialog

        if self._dialog is None:
            self._dialog = DelayDialog(self._theme, ZoneInfo(self._timezone), self._window)
        self._dialog.show_delays(self._session.delays(), self._status)
        self._dialog.open()

    def show_status(self, status: Status) -> None:
        """How the board stands; what was measured meanwhile is read where somebody looks at it."""
        self._status = status
        if self._dialog is not None and self._dialog.isVisible():
            self._dialog.show_delays(self._session.delays(), status)

    def close(self) -> None:
        """Take the dialog away."""
        if self._dialog is not None:
            self._dialog.close()
            self._dialog.deleteLater()
            self._dialog = None
