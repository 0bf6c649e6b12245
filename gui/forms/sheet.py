"""The sheet: a form's fields one under the other; short ones side by side where the room is too low for that.

It is as high as its fields are, and scrolls where even that is too much.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from gui.forms.field import FieldBox
from gui.forms.fitted_scroll import FittedScroll

_PAIRS_FROM = 230       # narrower sheets have no room for two short fields side by side
_WIDE_FROM = 360        # from here on, two of any kind have it


class Sheet(FittedScroll):
    """Make the boxes on `ground`, then hand them over by `set_boxes`."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._boxes: list[FieldBox] = []
        self._pairable: list[FieldBox] | None = None
        self.ground = QWidget(self)
        self.ground.setObjectName("sheet")
        self._lines = QGridLayout(self.ground)
        self._lines.setContentsMargins(0, 0, 0, 0)
        self._lines.setHorizontalSpacing(10)
        self._lines.setVerticalSpacing(9)
        self.setWidget(self.ground)
        self.ground.installEventFilter(self)

    def set_boxes(self, boxes: Sequence[FieldBox]) -> None:
        """The fields, in order."""
        self._boxes = list(boxes)
        self._arrange([])

    def fit(self, width: int, height: int) -> None:
        """Arrange the fields for this much room."""
        gaps = self._lines.verticalSpacing() * max(0, len(self._boxes) - 1)
        alone = gaps + sum(box.plain_height() for box in self._boxes)
        low = alone > height
        self._arrange([box for box in self._boxes if low and width >= (_PAIRS_FROM if box.short() else _WIDE_FROM)])

    def _arrange(self, pairable: list[FieldBox]) -> None:
        if pairable == self._pairable:
            return
        self._pairable = pairable
        for box in self._boxes:
            self._lines.removeWidget(box)
        for line, boxes in enumerate(lines(self._boxes, pairable)):
            for at, box in enumerate(boxes):
                self._lines.addWidget(box, line, at, 1, 3 - len(boxes), Qt.AlignmentFlag.AlignTop)
        self._lines.setColumnStretch(0, 1)
        self._lines.setColumnStretch(1, 1)

    def sizeHint(self) -> QSize:
        high = self._lines.totalHeightForWidth(max(40, self.viewport().width()))
        return QSize(160, max(high, self._lines.totalMinimumSize().height()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)


def lines(boxes: Sequence[FieldBox], pairable: Sequence[FieldBox]) -> list[list[FieldBox]]:
    """The fields line by line: two pairable ones that follow each other share a line."""
    found: list[list[FieldBox]] = []
    for box in boxes:
        last = found[-1] if found else []
        if box in pairable and len(last) == 1 and last[0] in pairable:
            last.append(box)
        else:
            found.append([box])
    return found
