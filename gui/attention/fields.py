"""The fields of a refused entry: what its operator said, and beside it what others say by now."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from gui.attention.labels import plain
from gui.attention.words import FieldText
from gui.forms.fitted_scroll import FittedScroll
from gui.theme.theme import Theme


class Fields(FittedScroll):
    """A grid of plain text; scrolls where it is too high."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: tuple[FieldText, ...] = ()

    def show_fields(self, fields: Sequence[FieldText]) -> None:
        """Show these, and no others from now on."""
        if tuple(fields) == self._shown:
            return
        self._shown = tuple(fields)
        ground = QWidget(self)
        ground.setObjectName("sheet")
        grid = QGridLayout(ground)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(20)
        grid.setVerticalSpacing(7)
        grid.setColumnStretch(1, 1)
        differs = any(field.meanwhile for field in fields)
        if differs:
            grid.setColumnStretch(2, 1)
            self._put(grid, 0, 1, "You entered", "dim", "small")
            self._put(grid, 0, 2, "Meanwhile", "dim", "small")
        for row, field in enumerate(fields, 1):
            self._add(grid, row, field)
        grid.setRowStretch(len(fields) + 1, 1)
        self.setWidget(ground)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        ground = self.widget()
        width = max(40, self.viewport().width())
        return QSize(160, ground.heightForWidth(width) if ground and ground.hasHeightForWidth() else 20)

    def _add(self, grid: QGridLayout, row: int, field: FieldText) -> None:
        self._put(grid, row, 0, field.label, "dim").setMinimumWidth(60)
        self._put(grid, row, 1, field.text, "", "medium").setAccessibleName(f"{field.label}: {field.text}")
        if field.meanwhile:
            label = self._put(grid, row, 2, field.meanwhile, "differs", "medium")
            label.setAccessibleName(f"{field.label} meanwhile: {field.meanwhile}")

    def _put(self, grid: QGridLayout, row: int, column: int, text: str, kind: str, style: str = "body") -> QLabel:
        label = plain(self, self._theme, kind, style)
        label.setText(text)
        grid.addWidget(label, row, column, Qt.AlignmentFlag.AlignTop)
        return label
