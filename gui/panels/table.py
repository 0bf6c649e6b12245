"""The table panel: rows of a live query, with sorting and filtering in the engine and actions on rows.

The board's query stays as it is; what the operator sorts and filters by is wrapped around it (`gui.models.query`), and
the panel asks for that query instead. Rows are told apart by the hidden columns that actions take from them, else by
their bold text, else by their first text: by that the selection follows its row, and is dropped when the row is gone,
so that an action never hits a neighbour.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from math import ceil
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import (
    QFontMetrics,
    QFontMetricsF,
    QGuiApplication,
    QHelpEvent,
    QKeySequence,
    QResizeEvent,
)
from PySide6.QtWidgets import QMenu, QToolTip, QWidget

from dataflow.board import Action, TablePanel, queries
from dataflow.zset import Column, Row, Splice
from gui.card import HEADER, PADDING
from gui.format import plain_value
from gui.models.query import Sort, arranged, counted, next_sort
from gui.models.table_model import TableModel
from gui.models.widths import share
from gui.panels.base import Panel
from gui.panels.filter_field import FilterField
from gui.panels.rows_view import GAP, RowsView, indent
from gui.theme import Theme

SAMPLE = 200
WIDEST = 340
WIDEST_LETTER = 14


class Table(Panel):
    """Rows of a live query."""

    def __init__(self, spec: TablePanel, theme: Theme, zone: ZoneInfo, parent: QWidget | None = None) -> None:
        super().__init__(spec, theme, zone, parent)
        self.table = spec
        self.sort: Sort | None = None
        self.words = ""
        self._total: int | None = None          # rows without the operator's filter, while there is one
        self._fresh = True          # the next batch is the first of another query
        self._measured = 0
        self._natural: list[int] = []
        self._dragged: dict[str, int] = {}
        self._laying_out = False
        self.model = TableModel(spec.columns, zone, self)
        self.view = RowsView(self.model, theme, self)
        self.filter = FilterField(self)
        self._set_up()

    def _set_up(self) -> None:
        self.set_body(self.view)
        self.view.setAccessibleName(self.table.title)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._open_menu)
        self.view.chosen.connect(self._choose)
        self.view.sort_wanted.connect(self.sort_by)
        self.view.keys.update(self._keys())
        self.view.viewport().installEventFilter(self)
        self.view.header.sectionResized.connect(self._dragged_to)
        self.filter.filtered.connect(self.filter_by)
        self.filter.left.connect(self.view.setFocus)

    def _keys(self) -> dict[str, Callable[[], object]]:
        """What keys do here; a board's own come first."""
        keys: dict[str, Callable[[], object]] = {
            "Ctrl+F": self.open_filter, "/": self.open_filter, "Ctrl+C": self.copy, "Shift+S": self._sort_here,
            "Esc": self._escape,
        }  # fmt: skip
        if self.table.actions:
            keys["Return"] = partial(self._act, self.table.actions[0])
        for action in self.table.actions:
            if action.key:
                key = QKeySequence(action.key).toString(QKeySequence.SequenceFormat.PortableText)
                keys[key] = partial(self._act, action)
        return keys

    # Live query

    def queries(self) -> dict[str, str]:
        return {"main": self.query()}

    def query(self) -> str:
        """The board's query as the operator has arranged it."""
        return arranged(queries(self.table)["main"], self._searched(), self.sort, self.words)

    def set_columns(self, name: str, columns: Sequence[Column]) -> None:
        if name != "main":
            return
        self._fresh = True
        if self.model.set_columns(columns):
            self._measured = 0
            self.sort = self.sort if self.sort and any(c.name == self.sort.column for c in columns) else None
            self.view.header.set_sort(self.sort)
            self._measure()

    def apply(self, name: str, splices: Sequence[Splice], rows: Sequence[Row]) -> None:
        if name != "main":
            self._total = rows[0][0] if rows else None
            self._tell()
            return
        if self._fresh:
            splices = [Splice(0, len(self.model.store), tuple(rows))]
            self._fresh = False
        with self.view.keep_place(self._identity()):
            self.model.apply(splices)
        if self._measured < SAMPLE and len(rows) > 4 * self._measured:
            self._measure()
        self._tell()

    def _identity(self) -> Callable[[Row], Hashable]:
        """What tells one row from another."""
        texts = [column for column in self.model.shown if column.type == "text"]
        shown = {column.name for column in self.model.shown}
        taken = {column for action in self.table.actions for column in action.fields.values()} - shown
        places = [at for at, column in enumerate(self.model.columns) if column.name in taken]
        places = places or [column.at for column in texts if column.bold] or [column.at for column in texts][:1]
        return itemgetter(*places) if places else repr

    def values(self) -> dict[str, Any]:
        at = self.view.current_row()
        if at is None:
            return {}
        return self._row(at)

    def _row(self, at: int) -> dict[str, Any]:
        names = (column.name for column in self.model.columns)
        return dict(zip(names, self.model.row(at), strict=True))

    # What the operator arranges

    def sort_by(self, section: int) -> None:
        """The next order by this shown column: up, down, the board's own."""
        if section < len(self.model.shown):
            self.sort = next_sort(self.sort, self.model.shown[section].name)
            self.view.header.set_sort(self.sort)
            self._ask()

    def _sort_here(self) -> None:
        self.sort_by(max(0, self.view.currentIndex().column()))

    def filter_by(self, words: str) -> None:
        """See only rows that hold these words."""
        self.words, self._total = words, None
        self._ask()
        self.query_changed.emit("total", counted(queries(self.table)["main"]) if words else "")

    def open_filter(self) -> None:
        """Let the operator type what rows to see."""
        if self._searched():
            self._place_filter()
            self.filter.open()

    def _escape(self) -> None:
        """Back to all rows; where all are shown, to none selected."""
        if self.words:
            self.filter.clear_filter()
        else:
            self.view.clearSelection()

    def copy(self) -> None:
        """The selected rows, with column names, as tab-separated text on the clipboard."""
        if rows := self.view.selected_rows():
            QGuiApplication.clipboard().setText(self.copied(rows))

    def copied(self, rows: Sequence[int]) -> str:
        """These rows as tab-separated text."""
        shown = self.model.shown
        lines = ["\t".join(column.label for column in shown)]
        for at in rows:
            row = self.model.row(at)
            lines.append("\t".join(plain_value(row[column.at], column.type, self.zone) for column in shown))
        return "\n".join(lines) + "\n"

    def _ask(self) -> None:
        self._tell()
        self.query_changed.emit("main", self.query())

    def _searched(self) -> list[Column]:
        return [Column(column.name, column.type) for column in self.model.shown if column.type == "text"]

    # Actions

    def _choose(self, at: int) -> None:
        if self.table.actions:
            self._act(self.table.actions[0], at)

    def _act(self, action: Action, at: int | None = None) -> None:
        at = self.view.current_row() if at is None else at
        if at is None:
            return
        row = self._row(at)
        self.action.emit(action, {field: row.get(column) for field, column in action.fields.items()})

    def _open_menu(self, place: QPoint) -> None:
        index = self.view.indexAt(place)
        menu = self.menu(index.row() if index.isValid() else None)
        menu.popup(self.view.viewport().mapToGlobal(place))

    def menu(self, at: int | None) -> QMenu:
        """What can be done here; the actions first."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if at is not None:
            for action in self.table.actions:
                menu.addAction(f"{action.label}\t{action.key or ''}".rstrip(), partial(self._act, action, at))
            if self.table.actions:
                menu.addSeparator()
            menu.addAction("Copy\tCtrl+C", self.copy)
        if self._searched():
            menu.addAction("Filter…\tCtrl+F", self.open_filter)
        return menu

    # What it looks like

    def restyle(self) -> None:
        super().restyle()
        self.view.restyle()

    def _tell(self) -> None:
        """Say how much is shown, in what order, or why there is nothing."""
        count = len(self.model.store)
        parts = [f"{count} of {self._total}" if self._total is not None else "1 row" if count == 1 else f"{count} rows"]
        if self.words:
            parts.append(f"filter “{self.words}”")
        if self.sort is not None:
            label = next((c.label for c in self.model.shown if c.name == self.sort.column), self.sort.column)
            parts.append(f"by {label} {'↓' if self.sort.descending else '↑'}")
        arranged_here = bool(self.words or self.sort)
        self.set_note(" · ".join(parts) if arranged_here or not self.spec.note else self.spec.note)
        nothing = "" if count else self._nothing()
        self.view.say(nothing)
        self.setAccessibleDescription(nothing)

    def _nothing(self) -> str:
        if self.words:
            return f"No row holds “{self.words}”. Esc in the filter shows all."
        return self.table.empty or "No rows yet"

    def _measure(self) -> None:
        """How wide each column wants to be, from its name and a sample of its values."""
        rows = range(min(len(self.model.store), SAMPLE))
        small, body, bold = (QFontMetricsF(self.theme.font(style)) for style in ("small", "body", "bold"))
        needs = [small.horizontalAdvance(column.label) for column in self.model.shown]
        for at in rows:
            for section, cell in enumerate(self.model.cells(at)):
                metrics = bold if cell.bold else body
                if len(cell.text) * WIDEST_LETTER > needs[section]:
                    needs[section] = max(needs[section], metrics.horizontalAdvance(cell.text))
        self._measured = len(rows)
        self._natural = [
            ceil(min(need, WIDEST)) + 1 + GAP + indent(self.model, section) for section, need in enumerate(needs)
        ]
        self._lay_out()

    def _lay_out(self) -> None:
        if not self._natural:
            return
        shown = self.model.shown
        held = [self._dragged.get(column.name, column.width) for column in shown]
        natural = [need if width is None else width for need, width in zip(self._natural, held, strict=True)]
        widths = share(natural, [width is not None for width in held], self.view.viewport().width())
        self._laying_out = True
        for section, width in enumerate(widths):
            self.view.setColumnWidth(section, width)
        self._laying_out = False

    def _dragged_to(self, section: int, before: int, now: int) -> None:
        if not self._laying_out and section < len(self.model.shown):
            self._dragged[self.model.shown[section].name] = now

    def _place_filter(self) -> None:
        title = QFontMetrics(self.theme.font("title")).horizontalAdvance(self._title)
        left = PADDING + min(title, self.width() // 3) + 14
        self.filter.setGeometry(left, 5, max(120, min(240, self.width() - left - 220)), HEADER - 9)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_filter()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.view.viewport():
            if event.type() == QEvent.Type.Resize:
                self._lay_out()
            elif event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
                self._tip(event)
                return True
        return super().eventFilter(watched, event)

    def _tip(self, event: QHelpEvent) -> None:
        """A cell that is cut off tells all of it."""
        index = self.view.indexAt(event.pos())
        cell = self.model.cells(index.row())[index.column()] if index.isValid() else None
        if cell and self._cut_off(cell.text, cell.bold, index.column()):
            QToolTip.showText(event.globalPos(), cell.text, self.view)
        else:
            QToolTip.hideText()

    def _cut_off(self, text: str, bold: bool, section: int) -> bool:
        room = self.view.columnWidth(section) - GAP - indent(self.model, section)
        return QFontMetricsF(self.theme.font("bold" if bold else "body")).horizontalAdvance(text) > room
