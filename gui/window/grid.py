"""The grid: cells share the room evenly, and panels lie on them by `at` = [row, column, height, width]."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from gui.widgets.painting import Guarded

At = tuple[int, int, int, int]
GAP = 10


class Grid(Guarded, QWidget):
    """Places its panels whenever its size changes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._places: tuple[tuple[QWidget, At], ...] = ()

    def set_places(self, places: Sequence[tuple[QWidget, At]]) -> None:
        """Which widget lies where. They become children; those from before are the caller's to delete."""
        self._places = tuple(places)
        for widget, _ in places:
            widget.setParent(self)
            widget.show()
        self._lay_out()

    def widgets(self) -> list[QWidget]:
        """What has a place."""
        return [widget for widget, _ in self._places]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        rows, columns = extent([at for _, at in self._places])
        for widget, at in self._places:
            widget.setGeometry(cell(at, rows, columns, self.width(), self.height()))


def extent(places: Sequence[At]) -> tuple[int, int]:
    """How many rows and columns the places need."""
    return max((row + height for row, _, height, _ in places), default=1), max(
        (column + width for _, column, _, width in places), default=1
    )


def cell(at: At, rows: int, columns: int, width: int, height: int) -> QRect:
    """The rectangle of a place: whole pixels, `GAP` between neighbours and around the edge."""
    row, column, tall, wide = at
    left, right = _edge(column, columns, width), _edge(column + wide, columns, width) - GAP
    top, bottom = _edge(row, rows, height), _edge(row + tall, rows, height) - GAP
    return QRect(left, top, max(0, right - left), max(0, bottom - top))


def _edge(index: int, count: int, length: int) -> int:
    return GAP + (2 * index * (length - GAP) + count) // (2 * count)
