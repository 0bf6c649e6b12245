"""The Qt side of a row store: it only translates edits to signals and (column, role) to a pure formatter.

Rows that change are announced once a batch, as one `dataChanged` from the first to the last of them; rows
that come or go as ranges. The model is reset only where the columns are others. What a view paints it takes
from `cells`, which are kept by row, so that a repaint formats nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, NamedTuple

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from dataflow.board import ColumnSpec
from dataflow.zset import Column, Row, Splice
from gui.models.rows import Change, Insert, Remove, RowStore
from gui.text.values import Formatter, formatter, is_number, one_line
from gui.widgets.painting import Guarded
from gui.widgets.plain import tip

PENDING = "pending"
_KEPT = 4096
_Index = QModelIndex | QPersistentModelIndex
ALIGN = {
    "left": Qt.AlignmentFlag.AlignLeft,
    "right": Qt.AlignmentFlag.AlignRight,
    "center": Qt.AlignmentFlag.AlignHCenter,
}


class Shown(NamedTuple):
    """A column as it is shown."""

    name: str
    at: int                     # where its value stands in a row
    type: str
    label: str
    show: Formatter
    align: str                  # "left", "right" or "center"
    role: str | None
    bold: bool
    tone: int | None            # where the name of the cell's colour stands
    width: int | None


class Cell(NamedTuple):
    """A cell as it is painted."""

    text: str
    role: str
    bold: bool


class TableModel(Guarded, QAbstractTableModel):
    """Rows of a live query."""

    def __init__(self, specs: Mapping[str, ColumnSpec], zone: tzinfo, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.columns: tuple[Column, ...] = ()
        self.shown: list[Shown] = []
        self.store = RowStore()
        self._specs = specs
        self._zone = zone
        self._pending: int | None = None
        self._cells: dict[int, tuple[Row, list[Cell]]] = {}

    def set_columns(self, columns: Sequence[Column]) -> bool:
        """Take other columns, and no rows; False if they are the same, and then nothing happens."""
        if tuple(columns) == self.columns:
            return False
        self.beginResetModel()
        self.columns = tuple(columns)
        self.shown = shown_columns(columns, self._specs, self._zone)
        names = [column.name for column in columns]
        self._pending = names.index(PENDING) if PENDING in names else None
        self.store.rows.clear()
        self._cells.clear()
        self.endResetModel()
        return True

    def apply(self, splices: Sequence[Splice]) -> None:
        """Bring the rows up to date."""
        low, high = len(self.store), -1
        for edit in self.store.plan(splices):
            match edit:
                case Change(first, rows):
                    self.store.apply(edit)
                    low, high = min(low, first), max(high, first + len(rows) - 1)
                case Insert(first, rows):
                    self.beginInsertRows(QModelIndex(), first, first + len(rows) - 1)
                    self.store.apply(edit)
                    self.endInsertRows()
                    high += len(rows) if first <= high else 0
                case Remove(first, gone):
                    self.beginRemoveRows(QModelIndex(), first, first + gone - 1)
                    self.store.apply(edit)
                    self.endRemoveRows()
                    low = min(low, first)
        high = min(high, len(self.store) - 1)
        if low <= high and self.shown:
            self.dataChanged.emit(self.index(low, 0), self.index(high, len(self.shown) - 1))

    def row(self, at: int) -> Row:
        """The row itself."""
        return self.store.rows[at]

    def cells(self, at: int) -> list[Cell]:
        """The row as it is painted, a cell a shown column."""
        row = self.store.rows[at]
        kept = self._cells.get(id(row))
        if kept is None:
            if len(self._cells) >= _KEPT:
                self._cells.clear()
            kept = self._cells[id(row)] = (row, [cell(column, row) for column in self.shown])
        return kept[1]

    @property
    def marks_pending(self) -> bool:
        """Whether rows tell if they are pending."""
        return self._pending is not None

    def pending(self, at: int) -> bool:
        """Whether the row holds an entry that the log has not confirmed."""
        return self._pending is not None and self.store.rows[at][self._pending] is True

    # Qt's side

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.store)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.shown)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole}:
            text = self.cells(index.row())[index.column()].text
            return tip(text) if role == Qt.ItemDataRole.ToolTipRole else text
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return ALIGN[self.shown[index.column()].align] | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.AccessibleDescriptionRole:
            return PENDING if self.pending(index.row()) else None
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.shown):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.shown[section].label
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return ALIGN[self.shown[section].align] | Qt.AlignmentFlag.AlignVCenter
        return None


def shown_columns(columns: Sequence[Column], specs: Mapping[str, ColumnSpec], zone: tzinfo) -> list[Shown]:
    """The columns to show: not those that are hidden, that mark rows, or that only name another's colour."""
    places = {column.name: at for at, column in enumerate(columns)}
    tones = {spec.tone for spec in specs.values() if spec.tone}
    plain = ColumnSpec()
    return [
        _shown(at, column, specs.get(column.name, plain), places, zone)
        for at, column in enumerate(columns)
        if column.name != PENDING
        and not specs.get(column.name, plain).hidden
        and (column.name not in tones or column.name in specs)
    ]


def cell(column: Shown, row: Row) -> Cell:
    """One value as it is painted."""
    tone = row[column.tone] if column.tone is not None else None
    role = tone if isinstance(tone, str) and tone else column.role or "text"
    return Cell(column.show(row[column.at]), role, column.bold)


def _shown(at: int, column: Column, spec: ColumnSpec, places: Mapping[str, int], zone: tzinfo) -> Shown:
    label = column.name.replace("_", " ").capitalize() if spec.label is None else spec.label
    return Shown(
        name=column.name,
        at=at,
        type=column.type,
        label=one_line(f"{label} ({spec.unit})" if spec.unit else label),
        show=formatter(column.type, spec.format, zone),
        align=spec.align or ("right" if is_number(column.type) else "left"),
        role=spec.role,
        bold=spec.bold,
        tone=places.get(spec.tone) if spec.tone else None,
        width=spec.width,
    )
