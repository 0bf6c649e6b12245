"""Whatever fails while something is drawn: the window lives, the panel says so, the others go on."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QAbstractItemDelegate, QAbstractItemView, QApplication, QWidget

import gui
from dataflow.board import Board
from dataflow.session import Status
from dataflow.zset import Column, Splice
from gui.binding.bridge import Binding
from gui.panels.bar import Bar
from gui.panels.line import Line
from gui.panels.log import Lines, Painter
from gui.panels.rows_header import Header
from gui.panels.table import Table
from gui.panels.value import Value
from gui.reporting import crash_report
from gui.widgets import painting
from gui.widgets.painting import CALLS, Guarded
from gui.window import main_window as window_module
from gui.window.main_window import MainWindow

BOARD = msgspec.convert(
    {
        "id": "b", "title": "Board", "timezone": "UTC",
        "panels": [
            {"kind": "value", "title": "Number", "at": [0, 0, 1, 1], "sql": "…"},
            {"kind": "table", "title": "Rows", "at": [0, 1, 1, 1], "sql": "…"},
            {"kind": "log", "title": "Log", "at": [1, 0, 1, 1]},
            {"kind": "bar", "title": "Bars", "at": [1, 1, 1, 1], "sql": "…"},
            {"kind": "line", "title": "Lines", "at": [2, 0, 1, 2], "sql": "…", "x": "x", "y": "y"},
        ],
    },
    Board,
)  # fmt: skip
HOUR = 3_600_000_000
DATA = {
    "Number": ([Column("value", "int")], [(5,)]),
    "Rows": ([Column("name", "text"), Column("n", "int")], [("north", 1), ("south", 2)]),
    "Log": ([Column("time", "timestamp"), Column("title", "text")], [(HOUR, "north"), (2 * HOUR, "south")]),
    "Bars": ([Column("label", "text"), Column("value", "int")], [("north", 1), ("south", 2)]),
    "Lines": ([Column("x", "int"), Column("y", "float")], [(1, 1.5), (2, 2.5)]),
}


class Broken(Exception):
    """What the tests raise."""


def raising(*_, **__):
    raise Broken("no such colour")


def with_open_painters(self, *_):
    """A painter on the widget and another on a picture, neither of them ended."""
    picture = QPixmap(10, 10)
    inner = QPainter(picture)
    outer = QPainter(self.viewport() if hasattr(self, "viewport") else self)
    raise Broken(f"no such colour {inner.isActive()} {outer.isActive()}")


def in_panel(kind, **methods):
    """The kind of panel with other methods of its own, as somebody might write them."""
    return type(kind.__name__, (kind,), methods)


def in_part(module, base, **methods):
    """The same for something within a panel: (module, its name, the class to put there)."""
    return module, base.__name__, type(base.__name__, (base,), methods)


PANELS = {
    "paintEvent of a panel": ("Number", in_panel(Value, paintEvent=raising)),
    "open painters in a panel": ("Number", in_panel(Value, paintEvent=with_open_painters)),
    "the card's own title": ("Number", in_panel(Value, _paint_header=raising)),
    "sizeHint of a panel": ("Bars", in_panel(Bar, sizeHint=raising)),
    "resizeEvent of a panel": ("Rows", in_panel(Table, resizeEvent=raising)),
    "showEvent of a panel": ("Rows", in_panel(Table, showEvent=raising)),
    "apply": ("Lines", in_panel(Line, apply=raising)),
    "set_columns": ("Lines", in_panel(Line, set_columns=raising)),
    "reading lines": ("Lines", in_panel(Line, _read=raising)),
}
PARTS = {
    "a chart's paintEvent": ("Bars", "gui.panels.bar", "Chart", {"paintEvent": with_open_painters}),
    "a chart's layout": ("Bars", "gui.panels.bar", "Chart", {"layout_now": raising}),
    "a plot's picture": ("Lines", "gui.panels.plot", "Plot", {"_paint_axes": raising}),
    "model data": ("Log", "gui.panels.log", "Lines", {"line": raising}),
    "model data itself": ("Log", "gui.panels.log", "Lines", {"data": raising}),
    "a delegate's paint": ("Log", "gui.panels.log", "Painter", {"paint": raising}),
    "a delegate's sizeHint": ("Log", "gui.panels.log", "Painter", {"sizeHint": raising}),
    "cells": ("Rows", "gui.panels.table", "TableModel", {"cells": raising}),
    "headerData": ("Rows", "gui.panels.table", "TableModel", {"headerData": raising, "data": raising}),
    "a table's header": ("Rows", "gui.panels.rows_view", "Header", {"paintEvent": with_open_painters}),
    "a table's rows": ("Rows", "gui.panels.table", "RowsView", {"_paint_cells": raising}),
}
FORMATTERS = {
    "a number's formatter": ("Number", "gui.panels.value"),
    "bars' formatters": ("Bars", "gui.panels.bar"),
    "cells' formatters": ("Rows", "gui.models.table_model"),
    "the log's formatters": ("Log", "gui.panels.log"),
}


@pytest.fixture(autouse=True)
def nothing_reported(account, monkeypatch):
    monkeypatch.setattr(crash_report, "_REPORTED", {})


@pytest.fixture
def qt_says(monkeypatch):
    """What Qt complains of."""
    from PySide6.QtCore import qInstallMessageHandler

    said = []
    before = qInstallMessageHandler(lambda _, __, words: said.append(words))
    yield said
    qInstallMessageHandler(before)


@pytest.fixture
def opened(qtbot, theme, qt_says):
    """Open a window on the board, bring each panel its rows, and draw it."""

    def opened():
        window = MainWindow(theme)
        qtbot.addWidget(window)
        window.resize(1000, 900)
        window.set_status(Status(state="live"))
        window.show_board(BOARD)
        window.show()
        for panel in window.panels:
            columns, rows = DATA[panel.spec.title]
            panel.take_columns("main", columns)
            panel.take("main", [Splice(0, 0, tuple(rows))], rows)
        draw(window)
        return window

    return opened


def draw(window):
    """Two frames: in the first something fails, in the second the card says so. Somebody listens to the rows, too."""
    for view in window.findChildren(QAbstractItemView):
        view.model().data(view.model().index(0, 0), Qt.ItemDataRole.DisplayRole)
    for _ in range(2):
        window.grab()
        QApplication.processEvents()


def panel(window, title):
    return next(panel for panel in window.panels if panel.spec.title == title)


def reports(account):
    return sorted(account.rglob("bug-*.txt"))


def check(window, broken, account, capsys, qt_says, new=1):
    """One panel says that it cannot be drawn, and where the report is; the others show their data."""
    words = panel(window, broken).accessibleDescription()
    (report,) = reports(account)[:1]
    assert words.startswith("This panel can't be drawn: ")
    assert str(report) in words
    assert "Broken" in report.read_text("utf-8")
    for other in window.panels:
        if other.spec.title != broken:
            assert "can't be drawn" not in other.accessibleDescription()
            assert not other.failures
    assert capsys.readouterr().err.count(f"The panel “{broken}” can't be drawn: this is a bug in Watchfloor: ") == new
    assert len(reports(account)) == 1
    assert not [words for words in qt_says if "aint" in words], qt_says


@pytest.mark.parametrize("case", PANELS)
def test_a_panel_that_fails_says_so_and_the_others_go_on(opened, monkeypatch, account, capsys, qt_says, case):
    title, kind = PANELS[case]
    monkeypatch.setattr(importlib.import_module(kind.__bases__[0].__module__), kind.__name__, kind)
    check(opened(), title, account, capsys, qt_says)


@pytest.mark.parametrize("case", PARTS)
def test_a_part_of_a_panel_that_fails(opened, monkeypatch, account, capsys, qt_says, case):
    title, module, name, methods = PARTS[case]
    base = getattr(importlib.import_module(module), name)
    for place in {module, "gui.panels.line" if name == "Plot" else module}:
        monkeypatch.setattr(importlib.import_module(place), name, type(name, (base,), methods))
    check(opened(), title, account, capsys, qt_says)


@pytest.mark.parametrize("case", FORMATTERS)
def test_a_formatter_that_fails(opened, monkeypatch, account, capsys, qt_says, case):
    title, module = FORMATTERS[case]
    monkeypatch.setattr(f"{module}.formatter", lambda *_: raising)
    check(opened(), title, account, capsys, qt_says)


# It is tried again


class Late(Bar):
    """Cannot be drawn while it is `broken`."""

    broken = True
    tried = 0

    def paintEvent(self, event):
        type(self).tried += 1
        if self.broken:
            raise Broken
        super().paintEvent(event)


@pytest.fixture
def late(opened, monkeypatch):
    """A window whose bars cannot be drawn; what brings them data."""
    monkeypatch.setattr("gui.panels.bar.Bar", Late)
    monkeypatch.setattr(Late, "broken", True)
    monkeypatch.setattr(Late, "tried", 0)
    window = opened()

    def bring(value):
        return panel(window, "Bars").take("main", [Splice(0, 2, (("north", value),))], [("north", value)])

    return window, bring


def test_it_is_reported_once_and_not_tried_at_every_frame(capsys, late, account, monkeypatch):
    monkeypatch.setattr(painting, "RETRY_S", 1_000)
    window, bring = late
    for value in range(20):
        assert bring(value)
        draw(window)
    assert Late.tried == 1
    assert len(reports(account)) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert "can't be drawn" in panel(window, "Bars").accessibleDescription()


def test_it_is_drawn_again_when_its_data_change(late, monkeypatch):
    window, bring = late
    monkeypatch.setattr(Late, "broken", False)
    bring(7)
    assert "can't be drawn" in panel(window, "Bars").accessibleDescription()
    monkeypatch.setattr(painting, "RETRY_S", 0)
    panel(window, "Bars")._later.timeout.emit()
    panel(window, "Bars")._later.stop()
    draw(window)
    assert panel(window, "Bars").accessibleDescription() == ""
    assert panel(window, "Bars").chart.isVisible()
    assert panel(window, "Bars").chart.entries[0].value == 7


def test_another_board_begins_anew(late, monkeypatch):
    window, _ = late
    monkeypatch.setattr(Late, "broken", False)
    window.show_board(BOARD)
    draw(window)
    assert panel(window, "Bars").accessibleDescription() == "Nothing to count yet"


def test_a_panel_that_could_not_take_its_rows_gets_all_of_them_the_next_time(opened, monkeypatch):
    window = opened()
    table = panel(window, "Rows")
    binding, fails = Binding(None, table, "main", lambda _: None), [True]
    binding._live = type("Live", (), {"columns": DATA["Rows"][0], "ready": True})()
    apply = table.apply
    monkeypatch.setattr(table, "apply", lambda *args: raising() if fails else apply(*args))
    binding._collect([Splice(0, 0, (("a", 1), ("b", 2)))])
    binding.flush()
    assert "can't be drawn" in table.accessibleDescription()
    fails.clear()
    monkeypatch.setattr(painting, "RETRY_S", 0)
    binding._collect([Splice(1, 1, (("c", 3),))])
    binding.flush()
    assert table.model.store.rows == [("a", 1), ("c", 3)]
    assert "can't be drawn" not in table.accessibleDescription()


# What belongs to no panel


def test_what_belongs_to_no_panel_says_so_in_its_place(qtbot, theme, account, capsys, qt_says, monkeypatch):
    for name, method in (("Header", with_open_painters), ("Footer", raising)):
        broken = type(name, (getattr(window_module, name),), {"paintEvent": method})
        monkeypatch.setattr(window_module, name, broken)
    window = MainWindow(theme)
    qtbot.addWidget(window)
    window.show_board(BOARD)
    window.show()
    draw(window)
    assert capsys.readouterr().err.count("can't be drawn: this is a bug in Watchfloor: Broken") == 2
    assert len(reports(account)) >= 1
    assert not qt_says


# Everything of ours that draws is under the guard


def modules():
    return [importlib.import_module(each.name) for each in pkgutil.walk_packages(gui.__path__, "gui.")]


def below(*kinds):
    """All our classes under Qt's."""
    found, todo = set(), list(kinds)
    while todo:
        for kind in todo.pop().__subclasses__():
            if kind not in found:
                found.add(kind)
                todo.append(kind)
    return {kind for kind in found if kind.__module__.startswith("gui.")}


def test_everything_that_qt_draws_by_is_guarded():
    assert modules()
    ours = below(QWidget, QAbstractItemModel, QAbstractItemDelegate)
    drawing = {kind for kind in ours if CALLS.keys() & kind.__dict__.keys()}
    assert {Header, Lines, Painter, Value, MainWindow} <= drawing
    bare = {kind for kind in drawing if not issubclass(kind, Guarded)}
    assert not bare, f"inherit gui.widgets.painting.Guarded before Qt's class: {bare}"
    for kind in drawing:
        for name in CALLS.keys() & kind.__dict__.keys():
            assert getattr(kind.__dict__[name], "guard", False), (kind, name)


def test_every_painter_is_ended_by_a_with():
    for path in Path(gui.__path__[0]).rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        within = {id(item.context_expr) for node in ast.walk(tree) if isinstance(node, ast.With) for item in node.items}
        made = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "QPainter"]
        assert all(id(node) in within for node in made), path
