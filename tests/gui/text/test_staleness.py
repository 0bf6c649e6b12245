"""A panel whose newest row is older than the board allows says so on its card."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from dataflow.board import Board, LinePanel, LogPanel, TablePanel, ValuePanel
from dataflow.session import Status
from dataflow.zset import Column, Splice
from gui.panels import kinds
from gui.text.freshness import view_of
from gui.text.staleness import Staleness, span_text

NOW = 1_360_351_920_000_000
SECOND, MINUTE = 1_000_000, 60_000_000
AT = (0, 0, 1, 1)
UTC = ZoneInfo("UTC")
BOARD = Board(id="b", title="B")
COLUMNS = [Column("leg", "text"), Column("time", "timestamp")]


def test_spans_in_words():
    spans = {0: "0 s", 45: "45 s", 60: "1 min", 90: "1 min", 720: "12 min", 7199: "119 min", 7200: "2 h",
             172_799: "47 h", 172_800: "2 d"}  # fmt: skip
    assert {seconds: span_text(seconds * SECOND) for seconds in spans} == spans


def test_the_newest_row_that_there_was_counts():
    panel = TablePanel(title="P", at=AT, sql="…", stale_after="5m")
    staleness = Staleness(panel)
    staleness.set_columns(COLUMNS)
    assert staleness.words(NOW) == "No data yet"
    staleness.take([Splice(0, 0, (("a", NOW - 12 * MINUTE), ("b", None), ("c", NOW - 14 * MINUTE)))])
    assert staleness.words(NOW - 8 * MINUTE) == ""
    assert staleness.words(NOW) == "No data for 12 min"
    staleness.take([Splice(0, 3, ())])
    assert staleness.words(NOW) == "No data for 12 min"
    staleness.take([Splice(0, 0, (("d", NOW - 5 * MINUTE),))])
    assert staleness.words(NOW) == ""
    assert staleness.words(NOW + 1) == "No data for 5 min"


@pytest.mark.parametrize(
    ("panel", "columns", "row"),
    [
        (LinePanel(title="P", at=AT, sql="…", x="t", stale_after=60), [("t", "timestamp"), ("y", "int")], (NOW, 1)),
        (LogPanel(title="P", at=AT, stale_after=60), [("time", "timestamp"), ("title", "text")], (NOW, "x")),
        (ValuePanel(title="P", at=AT, sql="…", stale_after="1m", stale_by="seen"),
         [("value", "int"), ("seen", "timestamp"), ("time", "timestamp")], (1, NOW, 0)),
        (TablePanel(title="P", at=AT, sql="…", stale_after="1m"), [("time", "timestamp")], (NOW,)),
    ],
)  # fmt: skip
def test_each_kind_says_so_on_its_card_and_is_dimmed(qtbot, theme, panel, columns, row):
    made = kinds.make(panel, BOARD, theme)
    qtbot.addWidget(made)
    made.show_view(view_of(Status(state="live", now=NOW), UTC))
    made.take_columns("main", [Column(*column) for column in columns])
    made.take("main", [Splice(0, 0, (row,))], [row])
    made.set_views_time(NOW + MINUTE)
    assert (made.state.mark.words, made.theme.dimmed) == ("", False)
    made.set_views_time(NOW + 12 * MINUTE)
    assert (*made.state.mark, made.theme.dimmed) == ("No data for 12 min", "12 min old", "warning", True)
    assert made.accessibleDescription().startswith("No data for 12 min")
    cut_off = Status(state="offline", now=NOW + 30 * MINUTE, since=NOW + 12 * MINUTE)
    made.show_view(view_of(cut_off, UTC))
    made.set_views_time(cut_off.as_of)
    assert made.state.mark.words == "as of 19:44 · no data for 12 min"
