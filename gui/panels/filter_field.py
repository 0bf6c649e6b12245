"""The field in a table's title row in which the operator types what rows to see."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

DELAY_MS = 150


class FilterField(QLineEdit):
    """Hidden until asked for. What is typed takes effect a moment after the last key; Esc closes."""

    filtered = Signal(str)
    left = Signal()                 # Esc, Enter or Down: the keyboard goes back to the rows

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("filter")
        self.setPlaceholderText("Filter rows")
        self.setAccessibleName("Filter rows")
        self.setMaxLength(200)
        self.hide()
        self._pause = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._pause.timeout.connect(self._tell)
        self.textEdited.connect(self._wait)
        self._emitted = ""

    def open(self) -> None:
        """Show the field and take the keyboard."""
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()

    def clear_filter(self) -> None:
        """Close the field and see all rows again, with the keyboard back in them."""
        self.reset()
        self.left.emit()

    def reset(self) -> None:
        """Close the field and see all rows again."""
        self.clear()
        self._tell()
        self.hide()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.clear_filter()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down}:
            self._tell()
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if not self.text():
            self.hide()

    def _wait(self, _: str) -> None:
        self._pause.start()

    def _tell(self) -> None:
        self._pause.stop()
        words = self.text().strip()
        if words != self._emitted:
            self._emitted = words
            self.filtered.emit(words)
