"""The end of a frame: tells when what has been brought to the panels was handed to the screen."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

_OVER = QEvent.Type(QEvent.registerEventType())


class Frame(QObject):
    """Watches the window only while something is expected of its next frame. Close it before the window goes."""

    painted = Signal(int)

    def __init__(self, window: QWidget, parent: QObject) -> None:
        super().__init__(parent)
        self._window = window
        self._expected = 0
        self._watching = False

    def expect(self, number: int) -> None:
        """The window's next frame shows whatever this number means: `painted` says it when the frame is over."""
        self._expected = max(self._expected, number)
        if not self._watching:
            self._watching = True
            self._window.installEventFilter(self)

    def close(self) -> None:
        """Expect nothing any more."""
        self._window.removeEventFilter(self)
        QCoreApplication.removePostedEvents(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The window is about to paint. An event of high priority is the next one after that."""
        if event.type() == QEvent.Type.UpdateRequest:
            self._window.removeEventFilter(self)
            self._watching = False
            QCoreApplication.postEvent(self, QEvent(_OVER), Qt.EventPriority.HighEventPriority.value)
        return False

    def event(self, event: QEvent) -> bool:
        if event.type() == _OVER:
            expected, self._expected = self._expected, 0
            self.painted.emit(expected)
            return True
        return super().event(event)
