"""The table panel as an operator uses it."""

from __future__ import annotations

import csv
import io
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from pytestqt.qtbot import QtBot

from dataflow.board import Action, ColumnSpec, TablePanel
from dataflow.zset import Column, Row, Splice
from gui.panels.laid_text import draw_message
from gui.panels.rows_header import ROW
from gui.panels.table import Table
from gui.theme.theme import Theme

COLUMNS = [
    Column("time", "timestamp"),
    Column("flight", "text"),
    Column("delay", "int"),
    Column("pending", "bool"),
]
HOLD = Action(label="Hold", event="flight.held", key="H", fields={"flight": "flight", "late": "delay"})
GATE = Action(label="Gate", event="gate.assigned", key="G", fields={"flight": "flight"})
SQL = "SELECT * FROM flights ORDER BY time"


def rows(count: int) -> list[Row]:
    return [(at * 60_000_000, f"AA{at}", at, False) for at in range(count)]


class Desk:
    """A table, the rows it shows, and what it asked for."""

    def __init__(self, qtbot: QtBot, **spec: Any) -> None:
        options = {"columns": {"flight": ColumnSpec(bold=True)}, "actions": [HOLD, GATE], **spec}
        self.table = Table(
            TablePanel(title="Flights", at=(0, 0, 1, 1), sql=SQL, **options),
            Theme.load("dark"),
            ZoneInfo("UTC"),
        )
        self.view = self.table.view
        self.rows: list[Row] = []
        self.asked: list[tuple[str, str]] = []
        self.acted: list[tuple[Action, dict[str, Any]]] = []
        self.table.query_changed.connect(lambda name, sql: self.asked.append((name, sql)))
        self.table.action.connect(lambda action, values: self.acted.append((action, values)))
        qtbot.addWidget(self.table)
        self.table.resize(600, 34 + 26 + 10 * ROW + 10)
        self.table.show()
        self.table.set_columns("main", COLUMNS)

    def put(self, *splices: Splice) -> None:
        for index, removed, added in splices:
            self.rows[index : index + removed] = added
        self.table.apply("main", list(splices), self.rows)

    def selected(self) -> list[str]:
        return [self.table.model.row(at)[1] for at in self.view.selected_rows()]

    def top(self) -> str:
        """The flight in the first row on screen."""
        return str(self.table.model.row(self.view.rowAt(2))[1])


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    made = Desk(qtbot)
    made.put(Splice(0, 0, tuple(rows(100))))
    return made


def test_says_how_much_is_shown_and_why_nothing_is(qtbot: QtBot) -> None:
    made = Desk(qtbot, empty="No flights today")
    made.put()
    assert made.table.accessibleDescription() == "No flights today"
    made.put(Splice(0, 0, tuple(rows(17))))
    assert made.table._note == "17 rows"
    assert made.table.accessibleDescription() == ""


def test_a_header_click_sorts_in_the_engine(desk: Desk, qtbot: QtBot) -> None:
    place = desk.view.columnViewportPosition(2) + 20

    def click() -> None:
        qtbot.mouseClick(desk.view.header.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place, 10))

    click()
    assert desk.asked[-1][0] == "main"
    assert desk.asked[-1][1].endswith('ORDER BY "delay" ASC NULLS LAST')
    assert "by Delay ↑" in desk.table._note
    click()
    assert desk.asked[-1][1].endswith('ORDER BY "delay" DESC NULLS LAST')
    assert desk.table.queries() == {"main": desk.asked[-1][1]}
    click()
    assert desk.asked[-1][1] == SQL


def test_filters_in_the_engine_a_moment_after_the_last_key(desk: Desk, qtbot: QtBot) -> None:
    desk.view.setFocus()
    qtbot.keyClick(desk.view, "/")
    assert desk.table.filter.isVisible()
    qtbot.keyClicks(desk.table.filter, "aa1")
    assert desk.asked == []
    qtbot.waitUntil(lambda: bool(desk.asked), timeout=2_000)
    assert [name for name, _ in desk.asked] == ["main", "total"]
    assert """contains(lower(left("flight", 20000)), 'aa1')""" in desk.asked[0][1]
    desk.table.set_columns("main", COLUMNS)
    desk.rows = []
    desk.put(Splice(0, 0, tuple(row for row in rows(100) if "AA1" in row[1])))
    assert desk.table._note == "11 rows · filter “aa1”"
    assert desk.asked[1] == ("total", f"SELECT count(*) AS total FROM (\n{SQL}\n) AS shown")
    desk.table.set_columns("total", [Column("total", "int")])
    desk.table.apply("total", [Splice(0, 0, ((100,),))], [(100,)])
    assert desk.table._note == "11 of 100 · filter “aa1”"
    qtbot.keyClick(desk.table.filter, Qt.Key.Key_Escape)
    assert desk.asked[-2:] == [("main", SQL), ("total", "")]
    assert not desk.table.filter.isVisible()


def test_a_filter_that_finds_nothing_says_so(desk: Desk) -> None:
    desk.table.filter_by("zz")
    desk.table.set_columns("main", COLUMNS)
    desk.rows = []
    desk.put(Splice(0, 0, ()))
    assert "zz" in desk.table.accessibleDescription()


def test_another_order_is_seen_from_its_top(desk: Desk) -> None:
    desk.view.select([7], 7)
    desk.view.verticalScrollBar().setValue(50 * ROW)
    desk.table.sort_by(2)
    desk.table.sort_by(2)
    desk.table.set_columns("main", COLUMNS)
    desk.rows = []
    desk.put(Splice(0, 0, tuple(reversed(rows(100)))))
    assert desk.top() == "AA99"
    assert desk.selected() == ["AA7"]


def test_enter_and_keys_act_on_the_selected_row(desk: Desk, qtbot: QtBot) -> None:
    qtbot.keyClick(desk.view, Qt.Key.Key_Return)
    assert desk.acted == []
    desk.view.setFocus()
    qtbot.keyClick(desk.view, Qt.Key.Key_Down)
    assert desk.selected() == ["AA0"]
    desk.view.select([7], 7)
    qtbot.keyClick(desk.view, Qt.Key.Key_Return)
    qtbot.keyClick(desk.view, Qt.Key.Key_G)
    assert desk.acted == [(HOLD, {"flight": "AA7", "late": 7}), (GATE, {"flight": "AA7"})]
    assert desk.table.values()["flight"] == "AA7"


def test_the_menu_offers_the_actions_of_its_row(desk: Desk) -> None:
    menu = desk.table.menu(5)
    assert [action.text() for action in menu.actions() if action.text()] == [
        "Hold\tH",
        "Gate\tG",
        "Copy\tCtrl+C",
        "Filter…\tCtrl+F",
    ]
    desk.put(Splice(0, 1, ()))
    menu.actions()[1].trigger()
    menu.close()
    assert desk.acted == [(GATE, {"flight": "AA5"})]


def test_copies_rows_for_a_spreadsheet(desk: Desk, qtbot: QtBot) -> None:
    desk.view.setFocus()
    desk.view.select([1, 3], 3)
    qtbot.keyClick(desk.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == (
        "Time\tFlight\tDelay\n1970-01-01 00:01:00\tAA1\t1\n1970-01-01 00:03:00\tAA3\t3\n"
    )


def test_what_is_copied_is_no_formula_and_keeps_its_cells(desk: Desk) -> None:
    texts = ["=HYPERLINK(1)", "-1+2", "-5", "a\tb", "two\nlines", 'say "x"', "＝1", "plain"]
    desk.put(Splice(0, 0, [(at, text, -at, False) for at, text in enumerate(texts)]))
    copied = list(csv.reader(io.StringIO(desk.table.copied(range(len(texts))), newline=""), delimiter="\t"))
    assert [row[1] for row in copied[1:]] == [
        "'=HYPERLINK(1)", "'-1+2", "-5", "a\tb", "two\nlines", 'say "x"', "'＝1", "plain"
    ]  # fmt: skip
    assert [row[2] for row in copied[1:]] == ["0", *(f"-{at}" for at in range(1, len(texts)))]


def test_the_selection_follows_its_row(desk: Desk) -> None:
    desk.view.select([4, 5], 5)
    desk.put(Splice(0, 0, ((0, "new", 1, False),)), Splice(6, 1, ((0, "AA5", 99, True),)))
    assert desk.selected() == ["AA4", "AA5"]
    assert desk.table.values()["delay"] == 99
    desk.put(Splice(6, 1, ()), Splice(60, 0, ((0, "AA5", 100, False),)))
    assert desk.selected() == ["AA4", "AA5"]
    assert desk.view.current_row() == 60


def test_a_row_that_is_gone_leaves_no_neighbour_selected(desk: Desk, qtbot: QtBot) -> None:
    desk.view.setFocus()
    desk.view.select([5], 5)
    desk.put(Splice(5, 1, ()))
    assert desk.selected() == []
    qtbot.keyClick(desk.view, Qt.Key.Key_H)
    assert desk.acted == []


def test_what_is_looked_at_stays_put(desk: Desk) -> None:
    desk.view.verticalScrollBar().setValue(50 * ROW)
    assert desk.top() == "AA50"
    desk.put(Splice(0, 0, tuple((0, f"n{at}", 0, False) for at in range(30))))
    assert desk.top() == "AA50"
    desk.put(Splice(0, 30, ()), Splice(20, 5, ((0, "x", 0, False),)))
    assert desk.top() == "AA50"


def test_at_the_top_new_rows_are_seen(desk: Desk) -> None:
    desk.put(Splice(0, 0, ((0, "new", 0, False),)))
    assert desk.top() == "new"


@pytest.mark.parametrize("width", [290, 600])
def test_columns_fill_the_width_and_nothing_is_cut_off(desk: Desk, width: int) -> None:
    desk.table.resize(width, 300)
    total = sum(desk.view.columnWidth(section) for section in range(3))
    assert total == desk.view.viewport().width()
    assert [at for at in range(3) if desk.table.columns.cut_off(99, at)] == []


def test_a_pending_row_is_violet(desk: Desk) -> None:
    desk.put(Splice(2, 1, ((0, "AA2", 2, True),)))
    image, violet = desk.view.grab().toImage(), desk.table.theme.color("pending")

    def share(row: int) -> int:
        top = ROW * (row + 1)
        return sum(image.pixelColor(x, y) == violet for x in range(image.width()) for y in range(top, top + ROW))

    assert share(2) > 20
    assert share(1) == share(3) == 0


def test_another_theme_repaints_in_its_colours(desk: Desk, qapp: Any) -> None:
    desk.view.select([2], 2)
    dark = desk.view.grab().toImage().pixelColor(300, 26 + 2 * ROW + 3)
    assert dark == desk.table.theme.color("hover")
    desk.table.theme.become(Theme.load("light"), qapp)
    light = desk.view.grab().toImage().pixelColor(300, 26 + 2 * ROW + 3)
    assert light == desk.table.theme.color("hover") != dark


@pytest.mark.parametrize("height", [24, 44, 300])
def test_a_message_is_whole_or_cut_off_at_its_end_never_at_its_edges(theme: Theme, height: int) -> None:
    image = QImage(200, height, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFF)
    painter = QPainter(image)
    painter.setFont(theme.font("body"))
    draw_message(painter, image.rect(), "No open incidents. Enter one at the right", ROW // 2)
    painter.end()
    ink = [y for y in range(height) if any(image.pixelColor(x, y).lightness() < 128 for x in range(200))]
    assert 0 < ink[0] < ink[-1] < height - 1
    assert (ink[-1] - ink[0] > ROW) == (height > 24)
