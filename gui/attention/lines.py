"""A list of two-line rows: a title with a word at its right and a dim second line, perhaps a time or an icon before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import (
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSignalBlocker,
    QSize,
    Qt,
)
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from dataflow.session import Attention
from gui.attention.words import Words
from gui.icons import icon
from gui.theme import Theme

HEIGHT = 46
_SIDE, _GAP, _ICON = 12, 12, 16
_LINE = Qt.ItemDataRole.UserRole
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Line(NamedTuple):
    """One row. `role` colours the icon, or the title where there is none."""

    title: str
    detail: str
    note: str = ""
    time: str = ""
    icon: str = ""
    role: str = "text"

    def words(self) -> str:
        """For those who listen."""
        return ", ".join(part for part in (self.time, self.title, self.note, self.detail) if part)


def item_line(item: Attention, words: Words) -> Line:
    """The row of something that needs attention."""
    role = "faint" if item.entry is None else "warning" if item.stale else "critical"
    return Line(words.title(item), words.detail(item), icon="triangle-alert", role=role)


class LineList(QListWidget):
    """Takes `Line`s; rows are told apart by their place only."""

    def __init__(self, name: str, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setItemDelegate(_Painter(theme, self))
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.lines: tuple[Line, ...] = ()

    def selected_rows(self) -> list[int]:
        """From the top."""
        return sorted(index.row() for index in self.selectedIndexes())

    def select_rows(self, rows: Sequence[int]) -> None:
        """These and no others, without a word about it; the last one is the current one."""
        with QSignalBlocker(self):
            self.clearSelection()
            for row in rows:
                self.setCurrentRow(row, QItemSelectionModel.SelectionFlag.Select)

    def content_height(self) -> int:
        """How high it is with all its rows."""
        return HEIGHT * len(self.lines) + 2 * self.frameWidth()

    def show_lines(self, lines: Sequence[Line]) -> bool:
        """Show these, without a word about the selection, which is none then. False: they are shown already."""
        if tuple(lines) == self.lines:
            return False
        self.lines = tuple(lines)
        with QSignalBlocker(self):
            self.clear()
            for line in lines:
                item = QListWidgetItem(self)
                item.setData(_LINE, line)
                item.setData(Qt.ItemDataRole.AccessibleTextRole, line.words())
        return True


class _Painter(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(80, HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        line: Line = index.data(_LINE)
        box, theme = QRect(option.rect), self._theme
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, theme.color("hover"))
        painter.setPen(QPen(theme.color("line"), 1))
        painter.drawLine(box.bottomLeft(), box.bottomRight())
        first = QRect(box.left() + _SIDE, box.top() + 5, box.width() - 2 * _SIDE, 18)
        first.setLeft(self._lead(painter, line, first))
        second = first.translated(0, 18)
        if line.note:
            width = self._words(painter, first, line.note, "small", "dim", _RIGHT)
            first.setRight(first.right() - width - _GAP)
        self._words(painter, first, line.title, "medium", "text" if line.icon else line.role)
        self._words(painter, second, line.detail, "small", "dim")

    def _lead(self, painter: QPainter, line: Line, first: QRect) -> int:
        """The icon or the time before the words; where those begin."""
        if line.icon:
            picture = icon(line.icon, self._theme.color(line.role), _ICON, painter.device().devicePixelRatioF())
            painter.drawImage(QPoint(first.left(), first.top() + 1), picture)
            return first.left() + _ICON + _GAP
        if line.time:
            return first.left() + self._words(painter, first, line.time, "small", "faint") + _GAP
        return first.left()

    def _words(
        self, painter: QPainter, box: QRect, words: str, style: str, role: str, where: Qt.AlignmentFlag = _LEFT
    ) -> int:
        painter.setFont(self._theme.font(style))
        painter.setPen(self._theme.color(role))
        shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, where, shown)
        return painter.fontMetrics().horizontalAdvance(shown)
