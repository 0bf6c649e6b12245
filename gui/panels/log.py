"""What happened, newest first: time, title and a dim second line; one delegate over a list fed by splices."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from dataflow.board import LogPanel
from dataflow.zset import Column, Row, Splice
from gui.panels.base import Panel
from gui.text.values import NARROW, Formatter, formatter
from gui.theme.theme import Theme
from gui.widgets.painting import Guarded
from gui.widgets.plain import tip

_EMPTY = "Nothing has happened yet."
_TALL, _LOW = 42, 28


class Line(NamedTuple):
    """One row as it is painted."""

    time: str
    title: str
    detail: str
    role: str
    pending: bool


class Lines(Guarded, QAbstractListModel):
    """The rows under the view: splices become Qt's row signals, a row becomes a Line when it is painted."""

    def __init__(self, zone: ZoneInfo, parent: QWidget) -> None:
        super().__init__(parent)
        self._zone = zone
        self._rows: list[Row] = []
        self._places: dict[str, tuple[int, Formatter]] = {}

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Other columns: the rows from before are gone."""
        self.beginResetModel()
        self._rows = []
        self._places = {
            column.name: (at, formatter(column.type, "%H:%M" if column.name == "time" else None, self._zone))
            for at, column in enumerate(columns)
        }
        self.endResetModel()

    def splice(self, splices: Sequence[Splice]) -> None:
        """Follow the engine's changes, in order."""
        nowhere = QModelIndex()
        for index, removed, added in splices:
            if removed:
                self.beginRemoveRows(nowhere, index, index + removed - 1)
                del self._rows[index : index + removed]
                self.endRemoveRows()
            if added:
                self.beginInsertRows(nowhere, index, index + len(added) - 1)
                self._rows[index:index] = added
                self.endInsertRows()

    def has(self, name: str) -> bool:
        """Whether the query gives such a column."""
        return name in self._places

    def line(self, row: int) -> Line:
        """Row `row` as it is painted."""
        values = self._rows[row]
        pending = bool(self._raw(values, "pending"))
        title = self._text(values, "title")
        role = "pending" if pending else str(self._raw(values, "tone") or "text")
        words = f"{title} · pending" if pending else title
        return Line(self._text(values, "time"), words, self._text(values, "detail"), role, pending)

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = 0) -> Any:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            line = self.line(index.row())
            return " · ".join(part for part in (line.time, line.title, line.detail) if part)
        if role == Qt.ItemDataRole.ToolTipRole:
            line = self.line(index.row())
            return tip(f"{line.title}\n{line.detail}" if line.detail else line.title)
        return None

    def _raw(self, row: Row, name: str) -> Any:
        return row[self._places[name][0]] if name in self._places else None

    def _text(self, row: Row, name: str) -> str:
        return self._places[name][1](self._raw(row, name)) if name in self._places else ""


class Painter(Guarded, QStyledItemDelegate):
    """Paints a Line in the theme's roles."""

    def __init__(self, model: Lines, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model
        self._theme = theme

    def height(self) -> int:
        """Rows are all alike: two lines high if the query gives details."""
        return _TALL if self._model.has("detail") else _LOW

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(80, self.height())

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        line, box = self._model.line(index.row()), QRect(option.rect)
        theme, single = self._theme, self.height() == _LOW
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, theme.color("hover"))
        painter.setPen(QPen(theme.color("line"), 1))
        painter.drawLine(box.bottomLeft(), box.bottomRight())
        first = box if single else QRect(box.left(), box.top() + 4, box.width(), 18)
        painter.setFont(theme.font("label"))
        painter.setPen(theme.color("faint"))
        painter.drawText(first, _LEFT_MIDDLE, line.time)
        indent = painter.fontMetrics().horizontalAdvance("00:00") + 16 if line.time else 0
        self._words(painter, first.adjusted(indent, 0, 0, 0), line.title, "medium", line.role)
        if not single:
            second = first.translated(indent, 17)
            second.setRight(box.right())
            self._words(painter, second, line.detail, "small", "dim")

    def _words(self, painter: QPainter, box: QRect, words: str, style: str, role: str) -> None:
        font = self._theme.font(style)
        painter.setFont(font)
        painter.setPen(self._theme.color(role))
        shown = QFontMetrics(font).elidedText(words, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, _LEFT_MIDDLE, shown)


class View(Guarded, QListView):
    """Qt's list, painted under the guard."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)


_LEFT_MIDDLE = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class Log(Panel):
    """The list in its card. What is being read stays in place while news comes in above it."""

    spec: LogPanel

    def __init__(self, spec: LogPanel, theme: Theme, zone: ZoneInfo, parent: QWidget | None = None) -> None:
        super().__init__(spec, theme, zone, parent)
        self._places: dict[str, int] = {}
        self._model = Lines(zone, self)
        self._view = View(self)
        self._painter = Painter(self._model, self.theme, self)
        self._view.setModel(self._model)
        self._view.setItemDelegate(self._painter)
        self._view.setUniformItemSizes(True)
        self._view.setFrameShape(QFrame.Shape.NoFrame)
        self._view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._view.setAccessibleName(spec.title)
        self.set_body(self._view)

    def set_columns(self, name: str, columns: Sequence[Column]) -> None:
        self._model.set_columns(columns)
        self._places = {column.name: at for at, column in enumerate(columns)}

    def apply(self, name: str, splices: Sequence[Splice], rows: Sequence[Row]) -> None:
        bar = self._view.verticalScrollBar()
        read, came = bar.value(), sum(len(s.rows) - s.removed for s in splices if s.at == 0)
        self._model.splice(splices)
        self._view.executeDelayedItemsLayout()  # now, so that the view is painted in the same frame as its card
        if read:
            bar.setValue(read + came * self._painter.height())
        self._tell(rows)
        self.say(None if rows else self.spec.empty or _EMPTY)

    def _tell(self, rows: Sequence[Row]) -> None:
        if self.spec.note is not None or "position" not in self._places:
            return
        pending = self._places.get("pending")
        confirmed = (row for row in rows if pending is None or not row[pending])
        last = max((row[self._places["position"]] or 0 for row in islice(confirmed, 50)), default=0)
        self.set_note(f"position {last:,}".replace(",", NARROW) if last else "")
