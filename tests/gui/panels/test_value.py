from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from PySide6.QtCore import QRectF

from dataflow.board import Threshold, ValuePanel
from dataflow.zset import Column, Splice
from gui.panels.value import Value, role_of, scaled, segments, thin

UTC = ZoneInfo("UTC")
HIGH = (Threshold(role="warning", at=20), Threshold(role="critical", at=40))
LOW = (Threshold(role="warning", below=5), Threshold(role="critical", below=1))


@pytest.mark.parametrize(
    ("value", "thresholds", "role"),
    [
        (19.9, HIGH, None), (20, HIGH, "warning"), (40, HIGH, "critical"),
        (5, LOW, None), (4.9, LOW, "warning"), (0, LOW, "critical"),
        (None, LOW, None), ("text", HIGH, None), (True, HIGH, None),
    ],
)  # fmt: skip
def test_the_last_threshold_reached_gives_the_role(value, thresholds, role):
    assert role_of(value, thresholds) == role


def test_a_spark_is_ordered_parted_at_gaps_and_fitted():
    lines = segments([(3, 30), (1, 10), (2, 20), (4, None), (5, 0), (6, 5), (None, 1), (7, None), (8, 8)])
    assert lines == [[(1, 10), (2, 20), (3, 30)], [(5, 0), (6, 5)]]
    assert scaled([[(1, 0), (2, 10)]], QRectF(0, 0, 100, 20)) == [[(0, 20), (100, 0)]]
    assert scaled([[(1, 7), (2, 7)]], QRectF(0, 0, 100, 20)) == [[(0, 10), (100, 10)]]
    assert scaled([], QRectF(0, 0, 100, 20)) == []


def value(qtbot, theme, **more):
    panel = Value(ValuePanel(title="Late", at=(0, 0, 1, 1), sql="…", **more), theme, UTC)
    qtbot.addWidget(panel)
    return panel


def show(panel, columns, *rows):
    panel.set_columns("main", [Column(*column) for column in columns])
    panel.apply("main", [Splice(0, 0, rows)], rows)
    panel.grab()


ALL = [("caption", "text"), ("value", "float"), ("pending", "bool")]


def test_columns_are_known_by_name(qtbot, theme):
    panel = value(qtbot, theme, unit="%", format=".0f", thresholds=list(HIGH))
    show(panel, ALL, ("of 488", 24.2, False))
    assert panel.accessibleDescription() == "24 %, of 488"
    assert panel.role() == "warning"


def test_a_single_column_is_the_value(qtbot, theme):
    panel = value(qtbot, theme)
    show(panel, [("count_star()", "int")], (7,))
    assert panel.accessibleDescription() == "7"


def test_pending_shows_whatever_the_value(qtbot, theme):
    panel = value(qtbot, theme, thresholds=list(HIGH))
    show(panel, ALL, ("", 99.0, True))
    assert panel.role() == "pending"
    assert "not yet confirmed" in panel.accessibleDescription()


@pytest.mark.parametrize("rows", [(), ((None, None, None),)])
def test_no_row_and_null_are_a_dash(qtbot, theme, rows):
    panel = value(qtbot, theme, thresholds=list(LOW))
    show(panel, ALL, *rows)
    assert panel.accessibleDescription() == "–"
    assert panel.role() == "faint"


@pytest.mark.parametrize("size", [(60, 40), (150, 80), (400, 300)])
def test_it_paints_at_any_size(qtbot, theme, size):
    panel = value(qtbot, theme, unit="min", spark="…")
    panel.resize(*size)
    show(panel, ALL, ("a caption that is much longer than the card is wide", 123456789.0, True))
    panel.apply("spark", [], [(1, 2.0), (2, 3.0)])
    assert not panel.grab().isNull()


def test_an_error_takes_the_place_of_the_number_and_goes(qtbot, theme):
    panel = value(qtbot, theme)
    panel.show_error("Unknown column delai")
    assert panel.accessibleDescription() == "Unknown column delai"
    panel.show_error(None)
    show(panel, [("value", "int")], (7,))
    assert panel.accessibleDescription() == "7"


def test_a_spark_draws_no_more_points_than_its_pixels_can_show():
    line = [(float(x), float(x * 7919 % 100)) for x in range(5000)]
    drawn = thin(line, 50)
    assert len(drawn) <= 4 * 51
    assert (drawn[0], drawn[-1]) == (line[0], line[-1])
    assert {min(y for _, y in drawn), max(y for _, y in drawn)} == {0.0, 99.0}
    assert thin(line[:20], 50) == line[:20]
