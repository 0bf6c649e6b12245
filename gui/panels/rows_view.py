"""A table view that paints whole rows itself.

Qt asks a model for some eight roles a cell and a delegate for each cell; in Python that alone would cost a
frame. Here one paint event draws the rows that need it from the model's finished cells and from text that was
laid out before. What the operator looks at stays where it is while rows come and go (`keep_place`), and the
selection follows its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPointF,
    QRect,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QCursor,
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView, QWidget

from dataflow.zset import Row
from gui.models.rows import runs
from gui.models.table_model import TableModel
from gui.panels.laid_text import LaidText, draw_message
from gui.panels.rows_header import GAP, GUTTER, ROW, Header, indent
from gui.theme.theme import Theme
from gui.widgets.painting import Guarded

_STEPS = frozenset({Qt.Key.Key_Down, Qt.Key.Key_Up})
_QUIET = frozenset({"text", "dim", "faint"})     # in a pending row these turn violet, and all that is no number


class RowsView(Guarded, QTableView):
    """Rows 26 px high with hairlines. `keys` maps what is pressed ("H", "Ctrl+C") to what it does."""

    chosen = Signal(int)            # a double click on a row
    sort_wanted = Signal(int)       # a header click: by this shown column

    def __init__(self, model: TableModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.rows = model
        self.keys: dict[str, Callable[[], object]] = {}
        self._message = ""
        self._hovered = -1
        self._laid = LaidText(theme)
        self.header = Header(model, theme, self)
        self.setHorizontalHeader(self.header)
        self._set_up(model)
        self.header.sectionClicked.connect(self.sort_wanted)
        model.modelReset.connect(self.restyle)
        self.restyle()

    def _set_up(self, model: TableModel) -> None:
        self.setModel(model)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setMinimumSectionSize(ROW)
        self.verticalHeader().setDefaultSectionSize(ROW)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def restyle(self) -> None:
        """Other colours, fonts or columns: nothing that was laid out holds."""
        self._laid.clear()
        self._ground = self.theme.color("hover")
        self._hover_ground = _faint(self._ground, 0.55)
        self._hairline = _faint(self.theme.color("line"), 0.6)
        self.viewport().update()
        self.header.viewport().update()

    def say(self, message: str) -> None:
        """What to say in the place of rows, while there are none."""
        if message != self._message:
            self._message = message
            self.viewport().update()

    # What the panel asks

    def current_row(self) -> int | None:
        """The selected row that keys act on."""
        at = self.currentIndex().row()
        return at if at >= 0 and self.selectionModel().isRowSelected(at, QModelIndex()) else None

    def selected_rows(self) -> list[int]:
        """All selected rows, from the top."""
        return sorted(index.row() for index in self.selectionModel().selectedRows())

    def select(self, rows: list[int], current: int | None) -> None:
        """Select rows, and make one of them current."""
        selection, last = QItemSelection(), self.rows.columnCount() - 1
        for first, end in runs(rows):
            selection.select(self.rows.index(first, 0), self.rows.index(end, last))
        flags = QItemSelectionModel.SelectionFlag
        index = self.rows.index(current, max(0, self.header.marked)) if current is not None else QModelIndex()
        self.selectionModel().setCurrentIndex(index, flags.NoUpdate)
        self.selectionModel().select(selection, flags.ClearAndSelect)

    @contextmanager
    def keep_place(self, key: Callable[[Row], Hashable], *, to_top: bool = False) -> Iterator[None]:
        """Around a change of rows: selected rows (told by `key`) stay selected, the view stays put, or at the top."""
        rows = self.rows.store.rows
        current, selected = self.current_row(), self.selected_rows()
        wanted = {at: key(rows[at]) for at in selected}
        anchor = None if to_top else self._anchor(current)
        held = {} if anchor is None else {anchor: key(rows[anchor])}
        top = self._top()
        yield
        if wanted and not (self.selected_rows() == selected and self.rows.store.holds(wanted, key)):
            now = self.rows.store.find(wanted, key)
            self.select(sorted(set(now.values())), None if current is None else now.get(current))
        if to_top:
            self.scrollToTop()
        if held and not self.rows.store.holds(held, key):
            for before, after in self.rows.store.find(held, key).items():
                self.updateGeometries()
                self.verticalScrollBar().setValue(top + (after - before) * ROW)

    def _anchor(self, current: int | None) -> int | None:
        """The row to hold on to: the current one, if the keyboard is here; else the top one, if scrolled."""
        top, store = self._top(), self.rows.store
        bottom = top + self.viewport().height() - ROW
        if current is not None and self.hasFocus() and top <= current * ROW <= bottom:
            return current
        first = (top + ROW - 1) // ROW
        return first if top > 0 and first < len(store) else None

    def _top(self) -> int:
        return self.verticalHeader().offset()

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self.viewport()) as painter:
            area, top = event.rect(), self._top()
            painter.fillRect(area, self.theme.color("card"))
            spans = self._spans()
            is_selected, root = self.selectionModel().isRowSelected, QModelIndex()
            first = max(0, (area.top() + top) // ROW)
            last = min(len(self.rows.store) - 1, (area.bottom() + top) // ROW)
            for at in range(first, last + 1):
                y = at * ROW - top
                self._paint_ground(painter, at, y, is_selected(at, root))
                self._paint_cells(painter, at, y, spans)
            if self._message and not self.rows.store.rows:
                painter.setPen(self.theme.color("dim"))
                painter.setFont(self.theme.font("body"))
                draw_message(painter, self.viewport().rect().adjusted(GUTTER, 0, -GUTTER, 0), self._message, ROW // 2)

    def _spans(self) -> list[tuple[int, int, str]]:
        """Where each column's text may stand: left, width, and at which end."""
        spans = []
        for at, column in enumerate(self.rows.shown):
            lead = indent(self.rows, at)
            room = max(0, self.columnWidth(at) - lead - GAP)
            spans.append((self.columnViewportPosition(at) + lead, room, column.align))
        return spans

    def _paint_ground(self, painter: QPainter, at: int, y: int, selected: bool) -> None:
        width = self.viewport().width()
        if selected or at == self._hovered:
            painter.fillRect(0, y, width, ROW - 1, self._ground if selected else self._hover_ground)
        if selected and self.hasFocus() and at == self.currentIndex().row():
            painter.fillRect(0, y, 2, ROW - 1, self.theme.color("accent"))
        painter.fillRect(0, y + ROW - 1, width, 1, self._hairline)

    def _paint_cells(
        self, painter: QPainter, at: int, y: int, spans: Sequence[tuple[int, int, str]]
    ) -> None:
        pending, theme = self.rows.pending(at), self.theme
        if pending:
            self._paint_ring(painter, y)
        for (text, role, bold), (left, room, align) in zip(self.rows.cells(at), spans, strict=True):
            if not text:
                continue
            style = "bold" if bold else "body"
            laid, wide, high = self._laid.fit(text, style, room)
            x = left if align == "left" else left + (room - wide) * (1 if align == "right" else 0.5)
            painter.setFont(theme.font(style))
            violet = pending and (role in _QUIET or align == "left")
            painter.setPen(theme.color("pending" if violet else role))
            painter.drawStaticText(QPointF(x, y + (ROW - 1 - high) / 2), laid)

    def _paint_ring(self, painter: QPainter, y: int) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.theme.color("pending"), 1.3))
        painter.drawEllipse(QPointF(8 - self.horizontalOffset(), y + ROW / 2 - 0.5), 3, 3)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    # The operator

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._hover(self.rowAt(event.position().toPoint().y()))

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        if self._hovered >= 0:
            self._hover(self.rowAt(self.viewport().mapFromGlobal(QCursor.pos()).y()))

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._hover(-1)
        return super().viewportEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(event)
        at = self.rowAt(event.position().toPoint().y())
        if at >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(at)

    def event(self, event: QEvent) -> bool:
        """A key of ours goes before the window's shortcuts."""
        override = event.type() == QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and _pressed(event) in self.keys:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        call = self.keys.get(_pressed(event))
        first = (self._top() + ROW - 1) // ROW
        if call is not None:
            call()
        elif event.key() in _STEPS and not self.selectionModel().hasSelection() and first < len(self.rows.store):
            self.select([first], first)     # the first step goes to what is in sight
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._mark()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._mark()

    def keyboardSearch(self, search: str) -> None:
        """Typing in a table is for shortcuts, not for jumping about."""

    def currentChanged(self, current: QModelIndex, previous: QModelIndex) -> None:  # type: ignore[override]
        super().currentChanged(current, previous)
        self._mark()
        self._update_row(previous.row())
        self._update_row(current.row())

    def _mark(self) -> None:
        self.header.mark(self.currentIndex().column() if self.hasFocus() else -1)
        self._update_row(self.currentIndex().row())

    def _hover(self, at: int) -> None:
        if at != self._hovered:
            self._update_row(self._hovered)
            self._hovered = at
            self._update_row(at)

    def _update_row(self, at: int) -> None:
        if at >= 0:
            self.viewport().update(QRect(0, at * ROW - self._top(), self.viewport().width(), ROW))


def _pressed(event: QKeyEvent) -> str:
    """The key as people write it: "H", "Shift+S", "Ctrl+C"; both Enter keys are "Return"."""
    text = QKeySequence(event.keyCombination()).toString(QKeySequence.SequenceFormat.PortableText)
    return text.removeprefix("Num+").replace("Enter", "Return")


def _faint(color: QColor, alpha: float) -> QColor:
    result = QColor(color)
    result.setAlphaF(alpha)
    return result
