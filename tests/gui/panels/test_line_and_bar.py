"""Line and bar panels: what they read from rows, and that it is on the screen."""

from __future__ import annotations

import math
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from dataflow.board import BarPanel, LinePanel
from dataflow.zset import Column, Row, Splice
from gui.panels import line as line_panel
from gui.panels.bar import Bar
from gui.panels.line import Line
from gui.theme.theme import Theme

HOUR = 3_600_000_000
LINES = [Column("t", "timestamp"), Column("airport", "text"), Column("delay", "float")]
BARS = [Column("label", "text"), Column("value", "int"), Column("pending", "bool")]


def near(image: QImage, color: QColor, area: tuple[int, int, int, int]) -> int:
    """How many pixels of an area have nearly this colour."""
    left, top, right, bottom = area
    return sum(
        abs(found.red() - color.red()) + abs(found.green() - color.green()) + abs(found.blue() - color.blue())
        < 40
        for x in range(left, right)
        for y in range(top, bottom)
        for found in [image.pixelColor(x, y)]
    )


def shown(qtbot: QtBot, panel: Any, columns: list[Column], rows: list[Row]) -> Any:
    qtbot.addWidget(panel)
    panel.resize(600, 240)
    panel.set_columns("main", columns)
    panel.apply("main", [Splice(0, 0, tuple(rows))], rows)
    panel.show()
    return panel


@pytest.fixture
def line(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Line:
    monkeypatch.setattr(line_panel, "DEAR_MS", math.inf)  # on a busy machine it would wait with what is new
    spec = LinePanel(
        title="Delay", at=(0, 0, 1, 1), sql="SELECT", x="t", y="delay", series="airport", unit="min"
    )
    rows = [(at * HOUR, name, float(at + low)) for at in range(6) for name, low in (("JFK", 0), ("EWR", 40))]
    return shown(qtbot, Line(spec, Theme.load("dark"), ZoneInfo("UTC")), LINES, rows)


def test_lines_are_read_and_drawn_in_their_colours(line: Line) -> None:
    assert {name: series.ys for name, series in line.lines().items()} == {
        "EWR": [40, 41, 42, 43, 44, 45],
        "JFK": [0, 1, 2, 3, 4, 5],
    }
    image = line.plot.grab().toImage()
    top, bottom = (40, 0, 550, 70), (40, 110, 550, 180)
    assert near(image, line.theme.color("series1"), top) > 300
    assert near(image, line.theme.color("series2"), bottom) > 300
    assert near(image, line.theme.color("series2"), top) == 0


def test_colours_stay_with_their_series(line: Line) -> None:
    rows = [(0, "JFK", 1.0), (0, "EWR", 2.0), (0, "ABE", 7.0)]
    line.apply("main", [Splice(0, 12, tuple(rows))], rows)
    assert line.plot.chart.roles == {"EWR": "series1", "JFK": "series2", "ABE": "series3"}
    assert line.lines()["ABE"].ys == [7.0]


def test_keys_read_values_out(line: Line, qtbot: QtBot) -> None:
    line.plot.grab()
    qtbot.keyClick(line.plot, Qt.Key.Key_Left)
    assert line.plot.read_at == 5 * HOUR
    qtbot.keyClick(line.plot, Qt.Key.Key_Left)
    assert line.plot.read_at == 4 * HOUR
    with_readout = line.plot.grab().toImage()
    qtbot.keyClick(line.plot, Qt.Key.Key_Escape)
    assert line.plot.read_at is None
    assert with_readout != line.plot.grab().toImage()


def test_the_mouse_reads_the_nearest_point(line: Line, qtbot: QtBot) -> None:
    line.plot.grab()
    fit = line.plot._frame
    assert fit is not None
    qtbot.mouseMove(line.plot, QPoint(round(fit.x(2.2 * HOUR)), 50))
    assert line.plot.read_at == 2 * HOUR


def test_a_line_chart_without_points_says_so(line: Line) -> None:
    line.apply("main", [Splice(0, 12, ())], [])
    assert line.accessibleDescription() == "Nothing to draw yet"
    line.apply("main", [Splice(0, 0, ((0, "JFK", None),))], [(0, "JFK", None)])
    assert line.accessibleDescription() == "Nothing to draw yet"


@pytest.fixture
def bar(qtbot: QtBot) -> Bar:
    spec = BarPanel(title="Cancelled", at=(0, 0, 1, 1), sql="SELECT", role="critical", empty="None cancelled")
    rows: list[Row] = [("ExpressJet", 30, False), ("JetBlue", 15, True), ("US", None, False)]
    return shown(qtbot, Bar(spec, Theme.load("dark"), ZoneInfo("UTC")), BARS, rows)


def test_bars_are_as_long_as_they_should_be(bar: Bar) -> None:
    long, short, unknown = bar.chart.layout_now().rows
    assert long.right - long.left == pytest.approx(2 * (short.right - short.left))
    assert unknown.bar.value is None
    assert unknown.bar.text == ""
    image = bar.chart.grab().toImage()
    middle = bar.chart.layout_now().pitch * 1.5
    pixel = image.pixelColor(round(short.right) - 4, round(middle))
    assert pixel.blue() > pixel.red() > pixel.green()


def test_bars_say_when_there_are_none(bar: Bar) -> None:
    bar.apply("main", [Splice(0, 3, ())], [])
    assert bar.accessibleDescription() == "None cancelled"


def test_other_colours_are_painted_at_once(line: Line, bar: Bar, qapp: Any) -> None:
    panels: list[tuple[Any, QWidget]] = [(line, line.plot), (bar, bar.chart)]
    for panel, body in panels:
        before = body.grab().toImage()
        panel.theme.become(Theme.load("light"), qapp)
        assert body.grab().toImage() != before
