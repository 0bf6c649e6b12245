"""Ctrl+Z and Ctrl+Shift+Z in a text field: the field's own while it has something to undo or redo, else the window's.

Qt's fields take these keys for themselves also when they could do nothing with them. Only the field that has the
keyboard is watched, so that no other event passes through here.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QPlainTextEdit, QWidget
from shiboken6 import isValid

_KEYS = QKeySequence.StandardKey


class FieldKeys(QObject):
    """Watches the text field of a window that has the keyboard."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._field: QWidget | None = None
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._moved)

    def _moved(self, _: QWidget | None, now: QWidget | None) -> None:
        if self._field is not None and isValid(self._field):
            self._field.removeEventFilter(self)
        fits = isinstance(now, QLineEdit | QPlainTextEdit | QComboBox) and self._window.isAncestorOf(now)
        self._field = now if fits else None
        if self._field is not None:
            self._field.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            undo, redo = event.matches(_KEYS.Undo), event.matches(_KEYS.Redo)
            if (undo and not _can(watched, "isUndoAvailable")) or (redo and not _can(watched, "isRedoAvailable")):
                event.ignore()
                return True
        return False


def _can(field: QObject, what: str) -> bool:
    """Whether a field has something to undo, or to redo."""
    own: QObject | None = field
    if isinstance(field, QComboBox):
        own = field.lineEdit()
    elif isinstance(field, QPlainTextEdit):
        own = field.document()
    return own is not None and bool(getattr(own, what)())
