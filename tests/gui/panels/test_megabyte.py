"""Text of a megabyte in every place of every panel: painted soon, cut with a mark, kept whole in the rows."""

from __future__ import annotations

from time import thread_time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from dataflow.board import BarPanel, LinePanel, LogPanel, TablePanel, ValuePanel
from dataflow.zset import Column, Splice
from gui.models.query import SEARCHED, arranged
from gui.panels.bar import Bar
from gui.panels.base import Panel
from gui.panels.card import SERIES
from gui.panels.line import Line
from gui.panels.log import Log
from gui.panels.table import Table
from gui.panels.value import Value
from gui.theme.theme import Theme

MEGA = 1_000_000
LONG = "error é " * (MEGA // 8)
SOON_S = 0.5
AT = (0, 0, 1, 1)
CASES: dict[str, tuple[Any, list[Column], tuple[Any, ...]]] = {
    "table": (
        lambda *given: Table(TablePanel(title="T", at=AT, sql="SELECT"), *given),
        [Column("a", "text"), Column("b", "json"), Column("tone", "text")], (LONG, f'["{LONG}"]', LONG),
    ),
    "log": (
        lambda *given: Log(LogPanel(title="T", at=AT, sql="SELECT"), *given),
        [Column("time", "timestamp"), Column("title", "text"), Column("detail", "text")], (0, LONG, LONG),
    ),
    "value": (
        lambda *given: Value(ValuePanel(title="T", at=AT, sql="SELECT"), *given),
        [Column("value", "text"), Column("caption", "text")], (LONG, LONG),
    ),
    "bar": (
        lambda *given: Bar(BarPanel(title="T", at=AT, sql="SELECT"), *given),
        [Column("label", "text"), Column("value", "int")], (LONG, 3),
    ),
    "line": (
        lambda *given: Line(LinePanel(title="T", at=AT, sql="SELECT", x="t", y="y", series="s"), *given),
        [Column("t", "int"), Column("y", "float"), Column("s", "text")], (1, 2.0, LONG),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", CASES)
def test_a_panel_with_a_megabyte_of_text_is_painted_soon(qtbot: QtBot, kind: str) -> None:
    make, columns, row = CASES[kind]
    panel: Panel = make(Theme.load("dark"), ZoneInfo("UTC"))
    qtbot.addWidget(panel)
    panel.resize(600, 240)
    panel.show()
    panel.grab()
    began = thread_time()
    panel.set_columns("main", columns)
    panel.apply("main", [Splice(0, 0, (row,))], [row])
    panel.set_note(LONG)
    panel.grab()
    assert thread_time() - began < SOON_S
    assert len(panel.accessibleDescription()) < 2_000


def test_what_is_shown_is_cut_and_what_is_kept_is_whole(qtbot: QtBot) -> None:
    table: Table = CASES["table"][0](Theme.load("dark"), ZoneInfo("UTC"))
    qtbot.addWidget(table)
    table.set_columns("main", CASES["table"][1])
    table.apply("main", [Splice(0, 0, (CASES["table"][2],))], [CASES["table"][2]])
    for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
        text = table.model.data(table.model.index(0, 0), role)
        assert LONG[:500] + "…" in text
        assert len(text) < 600
    assert table.model.row(0)[0] == LONG


def test_a_legend_is_cut_before_it_is_laid_out(qtbot: QtBot) -> None:
    line: Line = CASES["line"][0](Theme.load("dark"), ZoneInfo("UTC"))
    qtbot.addWidget(line)
    line.set_columns("main", CASES["line"][1])
    rows = [(1, 2.0, LONG + "a"), (1, 3.0, LONG + "b")]
    line.apply("main", [Splice(0, 0, tuple(rows))], rows)
    assert [len(label) for label, _ in line._legend] == [SERIES + 1] * 2
    assert list(line.lines()) == [LONG + "a", LONG + "b"]


def test_the_filter_searches_so_much_of_a_text() -> None:
    sql = arranged("SELECT a FROM t", [Column("a", "text")], None, "It's")
    assert f"""contains(lower(left("a", {SEARCHED})), 'it''s')""" in sql
