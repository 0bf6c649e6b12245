"""The pure geometry of axes, lines, bars and column widths."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gui.models.bars import LEAST, Bar, lay_out
from gui.models.chart import frame, parted
from gui.models.scale import number_axis, time_ticks
from gui.models.series import Line, nearest, read, step, thinned
from gui.models.widths import LEAST as NARROWEST
from gui.models.widths import SHORT, Need, share

NEW_YORK = ZoneInfo("America/New_York")


def us(*at: int, zone: ZoneInfo = NEW_YORK) -> int:
    return int(datetime(*at, tzinfo=zone).timestamp()) * 1_000_000


def measure(text: str) -> float:
    return 7.0 * len(text)


# Axes


@given(st.floats(-1e7, 1e7), st.floats(1e-3, 1e9), st.integers(2, 12))
def test_an_axis_holds_its_data_with_round_ticks(low: float, span: float, most: int) -> None:
    high = low + span
    axis = number_axis(low, high, most)
    assert axis.low <= low + span * 1e-6
    assert axis.high >= high - span * 1e-6
    assert 1 <= len(axis.ticks) <= most + 2
    assert len({tick.label for tick in axis.ticks}) == len(axis.ticks)


@pytest.mark.parametrize(
    ("low", "high", "most", "labels"),
    [
        (-4, 85.4, 5, ["0", "20", "40", "60", "80"]),
        (0, 1, 4, ["0.00", "0.25", "0.50", "0.75", "1.00"]),
        (0, 25_000, 3, ["0", "10k", "20k"]),
        (7, 7, 3, ["5.0", "7.5", "10.0"]),
    ],
)
def test_tick_labels(low: float, high: float, most: int, labels: list[str]) -> None:
    assert [tick.label for tick in number_axis(low, high, most).ticks] == labels


def test_time_ticks_stand_on_full_hours_of_the_zone() -> None:
    ticks = time_ticks(us(2013, 2, 8, 6, 5), us(2013, 2, 8, 14, 32), 10, NEW_YORK)
    assert [tick.label for tick in ticks] == [f"{hour:02}:00" for hour in range(7, 15)]
    assert ticks[0].at == us(2013, 2, 8, 7)


def test_time_ticks_over_a_clock_change_and_midnight() -> None:
    low, high = us(2013, 3, 9, 20), us(2013, 3, 10, 8)
    labels = [tick.label for tick in time_ticks(low, high, 12, NEW_YORK)]
    assert labels[3:8] == ["23:00", "10 Mar", "01:00", "03:00", "04:00"]
    assert time_ticks(low, high, 12, NEW_YORK)[-1].at == us(2013, 3, 10, 8)


@given(st.integers(0, 4_000_000_000), st.integers(0, 400_000_000), st.integers(1, 20))
def test_time_ticks_ascend_within_the_span(start: int, seconds: int, most: int) -> None:
    low, high = start * 1_000_000, (start + seconds) * 1_000_000
    ticks = time_ticks(low, high, most, NEW_YORK)
    places = [tick.at for tick in ticks]
    assert places == sorted(set(places))
    assert all(low <= place <= high for place in places)
    assert len(places) <= most + 2


# Lines


def test_rows_become_lines_with_gaps() -> None:
    rows = [
        (3, "b", 1.0),
        (1, "a", 5),
        (2, "a", None),
        (3, "a", 7),
        (None, "a", 9),
        (4, "a", float("nan")),
        (1, "b", 0.5),
    ]
    lines = read(rows, 0, 2, 1)
    assert list(lines) == ["b", "a"]
    assert lines["b"].xs == [1, 3]
    assert list(lines["a"].runs()) == [([1], [5]), ([3], [7])]
    assert lines["a"].last() == (3, 7)
    assert lines["a"].at(2.5) is None
    assert lines["a"].at(1.5) == 5
    assert lines["a"].at(0) is None


@given(st.dictionaries(st.integers(-5, 5), st.none() | st.integers(0, 9), max_size=8), st.integers(-6, 6))
def test_what_stands_at_an_x_is_what_the_last_point_up_to_it_says(points: dict[int, int | None], x: int) -> None:
    line = Line([float(at) for at in sorted(points)], [points[at] for at in sorted(points)])
    before = [at for at in points if at <= x]
    assert line.at(x) == (points[max(before)] if before else None)
    if x in points:
        assert line.at(x) == points[x]


@given(st.lists(st.sets(st.integers(0, 20), min_size=1, max_size=6), max_size=3), st.integers(-1, 21))
def test_the_readout_steps_to_the_next_point_of_any_line(places: list[set[int]], x: int) -> None:
    lines = {str(at): Line([float(place) for place in sorted(line)], [0] * len(line)) for at, line in enumerate(places)}
    points = sorted({place for line in places for place in line})
    assert step(lines, x, 1) == next((place for place in points if place > x), x)
    assert step(lines, x, -1) == next((place for place in reversed(points) if place < x), x)
    near = nearest(lines, x)
    assert near is None if not points else abs(near - x) == min(abs(place - x) for place in points)


def test_the_readout_walks_all_points() -> None:
    lines = {"a": Line([1.0, 5.0], [0, 0]), "b": Line([2.0], [0])}
    assert nearest(lines, 1.6) == 2
    assert nearest({}, 1) is None
    assert [step(lines, 1, 1), step(lines, 2, 1), step(lines, 5, 1)] == [2, 5, 5]
    assert [step(lines, 5, -1), step(lines, 1, -1)] == [2, 1]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=2_000), st.integers(1, 50))
def test_thinning_keeps_ends_and_extremes(ys: list[float], columns: int) -> None:
    xs = [float(at) for at in range(len(ys))]
    kept_x, kept_y = thinned((xs, ys), 0, max(1, xs[-1]), columns)
    assert len(kept_x) <= max(4 * (columns + 1), 4)
    assert (kept_x[0], kept_x[-1]) == (xs[0], xs[-1])
    assert (min(kept_y), max(kept_y)) == (min(ys), max(ys))
    assert kept_x == sorted(kept_x)


def test_a_frame_maps_data_to_pixels_and_back() -> None:
    lines = {"a": Line([us(2013, 2, 8, 6), us(2013, 2, 8, 14)], [-4, 85])}
    fit = frame(lines, (740, 200), measure, NEW_YORK)
    assert fit is not None
    assert fit.x(fit.low_x) == fit.left
    assert fit.y(fit.high_y) == fit.top < fit.y(0) < fit.bottom
    assert fit.value_at(fit.x(us(2013, 2, 8, 9))) == pytest.approx(us(2013, 2, 8, 9))
    assert [tick.label for tick in fit.y_ticks] == ["0", "20", "40", "60", "80"]
    assert frame({}, (740, 200), measure, NEW_YORK) is None
    assert frame(lines, (60, 200), measure, NEW_YORK) is None
    assert frame({"a": Line([5.0], [1])}, (740, 200), measure, None) is not None


@given(st.lists(st.floats(0, 200), max_size=8))
def test_labels_are_parted(places: list[float]) -> None:
    result = parted(places, 15, 0, 200)
    ordered = sorted(result)
    assert all(after - before >= 15 - 1e-6 for before, after in pairwise(ordered))
    assert len(result) == len(places)


# Bars


def test_bars_are_in_proportion_and_counted() -> None:
    bars = lay_out(
        [Bar("ExpressJet", 30, "30"), Bar("US", 10, "10"), Bar("None", None, "")], 400, 200, measure
    )
    lengths = [placed.right - placed.left for placed in bars.rows]
    assert lengths[0] == pytest.approx(3 * lengths[1])
    assert lengths[2] == 0
    assert bars.rows[0].right <= 400 - bars.text
    assert bars.more == 0


def test_bars_that_do_not_fit_are_counted() -> None:
    bars = lay_out([Bar(str(at), at, str(at)) for at in range(20)], 400, 200, measure)
    assert bars.more + len(bars.rows) == 20
    assert bars.more > 0
    assert (len(bars.rows) + 1) * bars.pitch <= 200
    assert bars.pitch >= LEAST


def test_negative_bars_go_left_of_zero() -> None:
    up, down = lay_out([Bar("a", 5, "5"), Bar("b", -5, "-5")], 400, 200, measure).rows
    assert down.right == up.left
    assert down.right - down.left == pytest.approx(up.right - up.left)


# Columns


NEEDS = st.builds(lambda name, values: Need(max(name, values), values), st.integers(30, 200), st.integers(20, 400))
COLUMNS = st.tuples(NEEDS, st.none() | st.integers(40, 200), st.booleans())


@given(st.lists(COLUMNS, min_size=1, max_size=12), st.integers(100, 2_000))
def test_columns_fill_the_room(columns: list[tuple[Need, int | None, bool]], room: int) -> None:
    needs, wanted = [need for need, _, _ in columns], [want for _, want, _ in columns]
    held = [drags and want is not None for _, want, drags in columns]
    widths = share(needs, wanted, held, room)
    assert all(width == want for width, want, stays in zip(widths, wanted, held, strict=True) if stays)
    natural = [need.whole if want is None else want for need, want in zip(needs, wanted, strict=True)]
    if sum(natural) <= room:
        assert all(width == want for width, want in zip(widths, wanted, strict=True) if want is not None)
        assert sum(widths) == room or None not in wanted
        return
    floors = [max(need.values, min(need.whole, NARROWEST)) for need in needs]
    bare = [n if stays else min(n, floor) for n, floor, stays in zip(natural, floors, held, strict=True)]
    if sum(bare) <= room:
        assert all(width >= least for width, least in zip(widths, bare, strict=True))
    least = [
        n if stays or need.values <= SHORT else min(n, NARROWEST)
        for n, need, stays in zip(bare, needs, held, strict=True)
    ]
    assert all(width >= narrow for width, narrow in zip(widths, least, strict=True))
    if sum(least) <= room and not all(held):
        assert sum(widths) == room


def test_the_boards_wish_gives_way_first_then_names_then_values() -> None:
    needs = [Need(60, 40), Need(130, 130)]
    assert share(needs, [150, None], [False, False], 300) == [150, 150]
    assert share(needs, [150, None], [False, False], 190) == [60, 130]
    assert share(needs, [150, None], [False, False], 185) == [55, 130]
    assert share(needs, [150, None], [False, False], 170) == [60, 110]
    assert share(needs, [150, None], [False, False], 110) == [55, 55]
    assert share(needs, [150, None], [False, False], 100) == [52, 52]
    assert share(needs, [150, None], [True, False], 200) == [150, 52]


def test_what_is_short_is_never_cut_off() -> None:
    needs, free, loose = [Need(70, 70), Need(60, 20), Need(200, 200)], [None] * 3, [False] * 3
    assert share(needs, free, loose, 200) == [70, 60, 70]
    assert share(needs, free, loose, 176) == [70, 53, 53]
    assert share(needs, free, loose, 120) == [70, 52, 52]
