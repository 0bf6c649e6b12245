"""Every panel draws every value: numbers of any size, times of any year, texts of any length, any number of series."""

from __future__ import annotations

import math
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from dataflow.board import BarPanel, LinePanel, LogPanel, TablePanel, ValuePanel
from dataflow.zset import Column, Splice
from gui.panels.bar import Bar
from gui.panels.line import Line
from gui.panels.log import Log
from gui.panels.table import Table
from gui.panels.value import Value
from gui.widgets.painting import failures_in
from gui.window.grid import Grid

LARGEST = 1.7976931348623157e308
NUMBERS = st.one_of(
    st.none(),
    st.floats(),
    st.integers(),
    st.integers(-(10**400), 10**400),
    st.decimals(),
    st.sampled_from([21.7, 21.699999999999996, LARGEST, -LARGEST, 5e-324, 2**63, 10**5_000]),
)
TIMES = st.one_of(st.none(), st.integers(), st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**51))
TEXTS = st.one_of(st.none(), st.text(max_size=40), st.text("ab\n\t<&\x00\u202e", min_size=0, max_size=900))
ROWS = st.lists(st.tuples(NUMBERS, NUMBERS, TIMES, TEXTS, st.none() | st.booleans()), max_size=8)
FORMATS = st.sampled_from([None, ",.1f", ".0f", "+.20f", ",", ".4g", ">40.3f"])
STEADY = [(21.7, 21.7, 0, "a", None), (21.699999999999996, 21.699999999999996, 60_000_000, "a", None)]
BESIDE = [
    (LARGEST, LARGEST, 0, "a", True), (-LARGEST, -LARGEST, 1, "b", False), (math.nan, math.inf, 2**63 - 1, "", None),
]  # fmt: skip

KINDS = {
    "value": lambda at, format: (Value, ValuePanel(title="N", at=at, sql="…", spark="…", format=format, unit="V")),
    "table": lambda at, format: (Table, TablePanel(title="T", at=at, sql="…")),
    "bar": lambda at, format: (Bar, BarPanel(title="B", at=at, sql="…", label="s", value="v", format=format)),
    "line": lambda at, format: (Line, LinePanel(title="L", at=at, sql="…", x="x", y="v", series="s")),
    "time line": lambda at, format: (Line, LinePanel(title="L", at=at, sql="…", x="t", y="v", series="s")),
    "log": lambda at, format: (Log, LogPanel(title="O", at=at, sql="…")),
}
COLUMNS = [
    Column("v", "float"), Column("x", "float"), Column("t", "timestamp"), Column("s", "text"),
    Column("pending", "bool"),
]  # fmt: skip
NAMES = {"value": {"v": "value", "s": "caption"}, "log": {"t": "time", "s": "title"}}


@pytest.fixture(scope="module")
def ground(qapp):
    made = Grid()
    made.resize(1000, 800)
    yield made
    made.close()
    made.deleteLater()


def draw(ground, theme, rows, format, size):
    """All kinds on one ground; what could not be drawn of them."""
    panels = {}
    for number, (name, make) in enumerate(KINDS.items()):
        kind, spec = make((number // 2, number % 2, 1, 1), format)
        panels[name] = kind(spec, theme, ZoneInfo("America/New_York"))
    ground.set_places([(panel, panel.spec.at) for panel in panels.values()])
    ground.resize(*size)
    for name, panel in panels.items():
        names = NAMES.get(name, {})
        panel.take_columns("main", [Column(names.get(each.name, each.name), each.type) for each in COLUMNS])
        panel.take("main", [Splice(0, 0, tuple(rows))], rows)
    panels["value"].take("spark", [], [(row[2], row[0]) for row in rows])
    ground.grab()
    for name in ("line", "time line"):
        point(panels[name].plot)
    ground.grab()
    failed = [failure.words for panel in panels.values() for failure in failures_in(panel)]
    for panel in panels.values():
        panel.setParent(None)
        panel.deleteLater()
    return failed


def point(plot: QWidget):
    """The mouse over the middle of a chart: the readout is drawn, too."""
    place = QPointF(plot.width() / 2, plot.height() / 2)
    event = QMouseEvent(
        QMouseEvent.Type.MouseMove, place, place, Qt.MouseButton.NoButton, Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(plot, event)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(STEADY, None, (1000, 800))
@example(BESIDE, ",.1f", (1000, 800))
@example(BESIDE + STEADY, None, (30, 20))
@given(ROWS, FORMATS, st.tuples(st.integers(1, 1_600), st.integers(1, 1_200)))
def test_every_panel_draws_every_value(ground, theme, account, rows, format, size):
    assert draw(ground, theme, rows, format, size) == []


def test_there_may_be_many_series_with_long_names(ground, theme, account):
    rows = [(float(at), float(at), at, f"{at} " + "long " * 300, None) for at in range(400)]
    assert draw(ground, theme, rows, None, (1000, 800)) == []


def test_a_board_with_odd_sizes_is_drawn(ground, theme, account):
    content = {"title": "T" * 10_000, "at": [0, 0, 1, 1], "sql": "…", "note": "n" * 10_000,
               "columns": {"v": {"width": 10**12, "label": "l" * 10_000}, "s": {"width": -5}}}  # fmt: skip
    panel = Table(msgspec.convert(content, TablePanel), theme, ZoneInfo("UTC"))
    ground.set_places([(panel, (0, 0, 10**9, 10**9))])
    panel.take_columns("main", COLUMNS)
    assert panel.take("main", [], STEADY)
    ground.grab()
    assert list(failures_in(panel)) == []
    assert all(panel.view.columnWidth(at) <= 8_000 for at in range(4))
    panel.setParent(None)
    panel.deleteLater()
