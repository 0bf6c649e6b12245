"""A list of two-line rows: a title with a word at its right and a dim second line, perhaps a time or an icon before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from dataflow.session import Attention
from gui.attention.words import Words
from gui.theme.icons import icon
from gui.theme.theme import Theme
from gui.widgets.painting import Guarded

HEIGHT = 46
_SIDE, _GAP, _ICON = 12, 12, 16
_LINE = Qt.ItemDataRole.UserRole
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_FLAGS = QItemSelectionModel.SelectionFlag


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


class _Model(Guarded, QAbstractListModel):
    """Things that become `Line`s when they are looked at."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.things: tuple[Any, ...] = ()
        self.line: Callable[[Any], Line] = _as_it_is

    def show_things(self, things: Sequence[Any], line: Callable[[Any], Line]) -> None:
        self.beginResetModel()
        self.things, self.line = tuple(things), line
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.things)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = 0) -> Any:
        if role == _LINE:
            return self.line(self.things[index.row()])
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self.line(self.things[index.row()]).words()
        return None


class LineList(QListView):
    """Rows are told apart by their place only."""

    chosen = Signal()       # what is selected has changed, by the operator

    def __init__(self, name: str, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = _Model(self)
        self._quiet = False
        self.setModel(self._model)
        self.setObjectName("lines")
        self.setAccessibleName(name)
        self.setItemDelegate(_Painter(theme, self))
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.selectionModel().selectionChanged.connect(self._say)

    @property
    def lines(self) -> list[Line]:
        """As they are shown."""
        return [self._model.line(thing) for thing in self._model.things]

    def show_things(self, things: Sequence[Any], line: Callable[[Any], Line]) -> bool:
        """Show these, each as the `Line` that is made of it, with none selected. False: they were there before."""
        if tuple(things) == self._model.things:
            self._model.line = line
            self.viewport().update()
            return False
        self._quiet = True
        self._model.show_things(things, line)
        self._quiet = False
        return True

    def current_row(self) -> int:
        """The row where the keyboard is; -1 for none."""
        return self.currentIndex().row()

    def selected_rows(self) -> list[int]:
        """From the top."""
        return sorted(index.row() for index in self.selectionModel().selectedIndexes())

    def select_rows(self, rows: Sequence[int]) -> None:
        """These and no others, without a word about it; the last one is the current one."""
        self._quiet = True
        self.clearSelection()
        for row in rows:
            self.selectionModel().setCurrentIndex(self._model.index(row), _FLAGS.Select)
        self._quiet = False

    def go_to(self, row: int) -> None:
        """As a click there does."""
        self.selectionModel().setCurrentIndex(self._model.index(row), _FLAGS.ClearAndSelect)

    def content_height(self) -> int:
        """How high it is with all its rows."""
        return HEIGHT * self._model.rowCount() + 2 * self.frameWidth()

    def _say(self) -> None:
        if not self._quiet:
            self.chosen.emit()


class _Painter(Guarded, QStyledItemDelegate):
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


def _as_it_is(thing: Line) -> Line:
    return thing
