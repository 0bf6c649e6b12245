"""The frame that shows something: tells when what has been brought to the panels was handed to the screen."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal


class PaintedFrame(QObject):
    """`over` is called at the end of every frame; `painted` tells what the one that is over was expected to show."""

    painted = Signal(int)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._expected = 0

    def expect(self, number: int) -> None:
        """The next frame shows whatever this number, and all below it, mean."""
        self._expected = max(self._expected, number)

    def over(self) -> None:
        """A frame has been handed to the screen."""
        if self._expected:
            expected, self._expected = self._expected, 0
            self.painted.emit(expected)
