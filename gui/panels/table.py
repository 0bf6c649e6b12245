"""The table panel: rows of a live query, with sorting and filtering in the engine and actions on rows.

The board's query stays as it is; what the operator sorts and filters by is wrapped around it (`gui.models.query`), and
the panel asks for that query instead. Rows are told apart by the hidden columns that actions take from them, else by
their bold text, else by their first text: by that the selection follows its row, and is dropped when the row is gone,
so that an action never hits a neighbour.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import (
    QFontMetrics,
    QGuiApplication,
    QKeySequence,
    QResizeEvent,
)
from PySide6.QtWidgets import QMenu, QWidget

from dataflow.board import Action, TablePanel, queries
from dataflow.exchange.spreadsheet import neutralise, tab_separated
from dataflow.zset import Column, Row, Splice
from gui.models.query import Sort, arranged, counted, next_sort
from gui.models.table_model import TableModel
from gui.panels.base import Panel
from gui.panels.card import HEADER, PADDING
from gui.panels.columns import Columns
from gui.panels.filter_field import FilterField
from gui.panels.rows_view import RowsView
from gui.text.values import copied_value
from gui.theme.theme import Theme
from gui.widgets.plain import without_keys

NOTE_WIDTH = 230
FILTER_WIDTHS = (130, 220)       # the least, the most


class Table(Panel):
    """Rows of a live query."""

    spec: TablePanel

    def __init__(self, spec: TablePanel, theme: Theme, zone: ZoneInfo, parent: QWidget | None = None) -> None:
        super().__init__(spec, theme, zone, parent)
        self.sort: Sort | None = None
        self.words = ""
        self._total: int | None = None          # rows without the operator's filter, while there is one
        self._fresh = True          # the next batch is the first of another query
        self.model = TableModel(spec.columns, zone, self)
        self.view = RowsView(self.model, self.theme, self)
        self.columns = Columns(self.view)
        self.filter = FilterField(self)
        self._set_up()

    def _set_up(self) -> None:
        self.set_body(self.view)
        self.view.setAccessibleName(self.spec.title)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._open_menu)
        self.view.chosen.connect(self._choose)
        self.view.sort_wanted.connect(self.sort_by)
        self.view.keys.update(self._keys())
        self.filter.filtered.connect(self.filter_by)
        self.filter.left.connect(self.view.setFocus)

    def _keys(self) -> dict[str, Callable[[], object]]:
        """What keys do here; a board's own come first."""
        keys: dict[str, Callable[[], object]] = {
            "Ctrl+F": self.open_filter, "/": self.open_filter, "Ctrl+C": self.copy, "Shift+S": self._sort_here,
            "Esc": self._escape,
        }  # fmt: skip
        if self.spec.actions:
            keys["Return"] = partial(self._act_here, self.spec.actions[0])
        for action in self.spec.actions:
            if action.key:
                key = QKeySequence(action.key).toString(QKeySequence.SequenceFormat.PortableText)
                keys[key] = partial(self._act_here, action)
        return keys

    # Live query

    def queries(self) -> dict[str, str]:
        return {"main": self.query()}

    def query(self) -> str:
        """The board's query as the operator has arranged it."""
        return arranged(queries(self.spec)["main"], self._searched(), self.sort, self.words)

    def set_columns(self, name: str, columns: Sequence[Column]) -> None:
        if name != "main":
            return
        self._fresh = True
        if self.model.set_columns(columns):
            self.sort = self.sort if self.sort and any(c.name == self.sort.column for c in columns) else None
            self.view.header.set_sort(self.sort)

    def apply(self, name: str, splices: Sequence[Splice], rows: Sequence[Row]) -> None:
        if name != "main":
            self._total = rows[0][0] if rows else None
            self._tell()
            return
        fresh, self._fresh = self._fresh, False
        if fresh:
            splices = [Splice(0, len(self.model.store), tuple(rows))]
        with self.view.keep_place(self._identity(), to_top=fresh):
            self.model.apply(splices)
            self.view.executeDelayedItemsLayout()  # now, so that the view is painted in the same frame as its card
        self.columns.sample()
        self._tell()

    def _identity(self) -> Callable[[Row], Hashable]:
        """What tells one row from another."""
        texts = [column for column in self.model.shown if column.type == "text"]
        shown = {column.name for column in self.model.shown}
        taken = {column for action in self.spec.actions for column in action.fields.values()} - shown
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
        self.query_changed.emit("total", counted(queries(self.spec)["main"]) if words else "")

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

    def reset_order(self) -> None:
        self.sort = None
        self.view.header.set_sort(None)
        self.filter.reset()
        self._ask()

    def copy(self) -> None:
        """The selected rows, with column names, as tab-separated text on the clipboard."""
        if rows := self.view.selected_rows():
            QGuiApplication.clipboard().setText(self.copied(rows))

    def copied(self, rows: Sequence[int]) -> str:
        """These rows as tab-separated text, in which no spreadsheet finds a formula."""
        shown = self.model.shown
        lines = [tab_separated(neutralise(column.label) for column in shown)]
        for at in rows:
            row = self.model.row(at)
            lines.append(tab_separated(copied_value(row[column.at], column.type, self.zone) for column in shown))
        return "\n".join(lines) + "\n"

    def _ask(self) -> None:
        self._tell()
        self.query_changed.emit("main", self.query())

    def _searched(self) -> list[Column]:
        return [Column(column.name, column.type) for column in self.model.shown if column.type == "text"]

    # Actions

    def _choose(self, at: int) -> None:
        if self.spec.actions:
            self._act(self.spec.actions[0], self._row(at))

    def _act_here(self, action: Action) -> None:
        if row := self.values():
            self._act(action, row)

    def _act(self, action: Action, row: Mapping[str, Any]) -> None:
        self.action.emit(action, {field: row.get(column) for field, column in action.fields.items()})

    def _open_menu(self, place: QPoint) -> None:
        index = self.view.indexAt(place)
        menu = self.menu(index.row() if index.isValid() else None)
        menu.popup(self.view.viewport().mapToGlobal(place))

    def menu(self, at: int | None) -> QMenu:
        """What can be done here; the actions first: on the row as it is now, wherever it goes meanwhile."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if at is not None:
            for action in self.spec.actions:
                words = f"{without_keys(action.label)}\t{without_keys(action.key or '')}".rstrip()
                menu.addAction(words, partial(self._act, action, self._row(at)))
            if self.spec.actions:
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
        note = " · ".join(parts) if self.words or self.sort else self.spec.note or (parts[0] if count else "")
        self.set_note(note)
        nothing = "" if count else self._nothing()
        self.view.say(nothing)
        self.describe(nothing)

    def _nothing(self) -> str:
        if self.words:
            return f"No row holds “{self.words}”. Esc in the filter shows all."
        return self.spec.empty or "No rows yet"

    def _place_filter(self) -> None:
        """Between title and note; over the title where there is no room between them."""
        title = QFontMetrics(self.theme.font("title")).horizontalAdvance(self.spec.title)
        right = self.width() - NOTE_WIDTH
        left = min(PADDING + title + 14, max(PADDING, right - FILTER_WIDTHS[0]))
        self.filter.setGeometry(left, 5, min(FILTER_WIDTHS[1], right - left), HEADER - 9)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_filter()
