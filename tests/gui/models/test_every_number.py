"""What turns values into pixels, over all doubles, integers and decimals: finite, inside, bounded, rising."""

from __future__ import annotations

import math
import sys
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dataflow.session import DelayBar
from gui.delays.axis import axis, part, slots
from gui.models.bars import Bar, lay_out
from gui.models.chart import frame, parted
from gui.models.numbers import LARGEST, TINY, all_finite, between, finite, linear
from gui.models.scale import Axis, apart, number_axis, number_label, time_ticks
from gui.models.series import Line, nearest, read, step, thinned
from gui.models.series import extent as span_of
from gui.models.widths import Need, share
from gui.window.grid import At, cell, extent

SLACK = 1e-6        # pixels
STEADY = (21.7, 21.699999999999996)
BESIDE = (LARGEST, -LARGEST)
DENORMAL = (5e-324, 1e-323)
DOUBLES = st.floats() | st.sampled_from([*STEADY, *BESIDE, *DENORMAL, 0.0, -0.0, 1.7e308, math.inf, math.nan])
KNOWN = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([*STEADY, *BESIDE, *DENORMAL])
NEAR = st.tuples(KNOWN, st.integers(-3, 3)).map(lambda pair: stepped(*pair))
HUGE = st.integers(-(10**400), 10**400)
ANY = st.none() | DOUBLES | NEAR | st.integers() | HUGE | st.decimals() | st.text(max_size=2)
ZONES = [ZoneInfo(name) for name in ("UTC", "America/New_York", "Pacific/Kiritimati", "Pacific/Apia", "Asia/Kathmandu")]
TIMES = st.integers(-(2**63), 2**63 - 1) | st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999)
PIXELS = st.integers(0, 8_000)


def stepped(value: float, by: int) -> float:
    """The double so many places away, as far as there are finite ones."""
    for _ in range(abs(by)):
        value = math.nextafter(value, math.inf if by > 0 else -math.inf)
    return max(-LARGEST, min(LARGEST, value))


def measure(text: str) -> float:
    return 7.0 * len(text)


def lies_in(pixel: float, low: float, high: float) -> bool:
    return math.isfinite(pixel) and low - SLACK <= pixel <= high + SLACK


# Numbers


@given(ANY)
def test_what_is_drawn_is_a_finite_number(value: object) -> None:
    known = finite(value)
    assert known is None or (math.isfinite(known) and float(known) == float(value))  # type: ignore[arg-type]
    assert known is not None or not isinstance(value, float) or not math.isfinite(value)


@given(st.lists(ANY))
def test_only_finite_numbers_pass_as_such(values: list[object]) -> None:
    assert not all_finite(values) or all(finite(value) == value for value in values)


@example(*DENORMAL, 5e-324)
@example(-LARGEST, LARGEST, 0.0)
@given(KNOWN | NEAR, KNOWN | NEAR, KNOWN)
def test_a_value_of_a_span_lies_on_its_pixels(one: float, other: float, value: float) -> None:
    low, high = sorted((one, other))
    place = linear(low, high, 10, 400).at(min(high, max(low, value)))
    assert lies_in(place, 10, 400)


@given(KNOWN, KNOWN, st.floats(0, 1))
def test_a_pixel_of_a_span_has_a_value_of_it(one: float, other: float, at: float) -> None:
    low, high = sorted((one, other))
    value = between(low, high, at)
    assert math.isfinite(value)
    assert low - abs(low) * 1e-9 <= value <= high + abs(high) * 1e-9


# Axes


def check_axis(made: Axis, most: int) -> None:
    places = [tick.at for tick in made.ticks]
    assert math.isfinite(made.low)
    assert math.isfinite(made.high)
    assert made.low < made.high
    assert all(made.low <= place <= made.high for place in places)
    assert all(before < after for before, after in pairwise(places))
    assert 1 <= len(places) <= most + 3
    assert all(0 < len(tick.label) <= 36 and "\n" not in tick.label for tick in made.ticks)
    assert len({tick.label for tick in made.ticks}) == len(places)


@example(*STEADY, 6)
@example(*BESIDE, 1)
@example(*BESIDE, 6)
@example(*DENORMAL, 6)
@example(LARGEST, LARGEST, 3)
@example(1e20, 1e20 + 1e9, 5)
@example(2.5e20, 7.5e20, 5)
@given(DOUBLES | NEAR, DOUBLES | NEAR, st.integers(1, 300))
def test_every_two_doubles_make_an_axis(low: float, high: float, most: int) -> None:
    made = number_axis(low, high, most)
    check_axis(made, most)
    for value in (low, high):
        if math.isfinite(value):
            assert made.low <= value <= made.high
            assert len(number_label(value, made.decimals)) <= 40


@example(-1.0, 1_125_900, 1)
@example(-1.7976931347499984e308, 1_252_606, 1)
@given(KNOWN, st.integers(0, 2_000_000), st.integers(1, 30))
def test_neighbouring_doubles_make_an_axis(low: float, places: int, most: int) -> None:
    high = min(LARGEST, low + abs(low) * sys.float_info.epsilon * places)
    made = number_axis(low, high, most)
    check_axis(made, most)
    assert made.low <= low <= high <= made.high


@given(DOUBLES, st.integers(-400, 400))
def test_every_label_is_short(value: float, decimals: int) -> None:
    if math.isfinite(value):
        assert 0 < len(number_label(value, decimals)) <= 40


def test_labels_of_the_largest_and_the_smallest() -> None:
    assert [tick.label for tick in number_axis(*sorted(BESIDE), 3).ticks] == ["−1e+308", "0", "1e+308"]
    assert [tick.label for tick in number_axis(*sorted(STEADY), 4).ticks] == ["10", "20", "30"]
    assert number_label(1.7e308, 2 - 308) == "1.7e+308"
    assert number_label(-0.0001, 2) == "0.00"
    assert [tick.label for tick in number_axis(0, 4e-20, 4).ticks] == ["0", "1e−20", "2e−20", "3e−20", "4e−20"]


@given(KNOWN | NEAR, KNOWN | NEAR)
def test_a_span_is_wide_enough_to_divide_by(one: float, other: float) -> None:
    low, high = apart(*sorted((one, other)))
    assert low <= min(one, other) <= max(one, other) <= high
    assert high - low > TINY


@example(-(2**63), 2**63 - 1, 8, ZONES[2])
@example(253_402_300_799_999_999, 253_402_300_799_999_999, 8, ZONES[2])
@example(-62_135_596_800_000_000, -62_135_500_000_000_000, 8, ZONES[1])
@given(TIMES, TIMES, st.integers(1, 60), st.sampled_from(ZONES))
def test_every_two_times_make_ticks(one: int, other: int, most: int, zone: ZoneInfo) -> None:
    low, high = sorted((one, other))
    ticks = time_ticks(low, high, most, zone)
    assert all(low <= tick.at <= high for tick in ticks)
    assert all(before.at < after.at for before, after in pairwise(ticks))
    assert len(ticks) <= most + 2
    assert all(len(tick.label) <= 8 for tick in ticks)


def test_times_reach_from_the_first_year_to_the_last() -> None:
    ticks = time_ticks(-(2**63), 2**63 - 1, 8, ZONES[0])
    assert len(ticks) >= 5
    assert time_ticks(2**63 - 10, 2**63 - 1, 8, ZONES[0]) == []


# Lines


ROWS = st.lists(st.tuples(ANY, ANY, st.sampled_from(["a", "b", None])), max_size=12)


@example([(1, 21.7, "a"), (2, 21.699999999999996, "a")], 700, 240, None)
@example([(1, LARGEST, "a"), (2, -LARGEST, "a")], 700, 240, None)
@example([(LARGEST, 1, "a"), (-LARGEST, 2, "a")], 700, 240, None)
@example([(5e-324, 5e-324, "a"), (1e-323, 0.0, "a")], 700, 240, None)
@example([(2**70, 10**400, "a"), (2**70 + 1, Decimal("1e400"), "a")], 700, 240, None)
@given(ROWS, PIXELS, PIXELS, st.none())
def test_every_row_is_drawn_inside(rows: list[tuple[object, ...]], width: int, height: int, zone: None) -> None:
    lines = read(rows, 0, 1, 2)
    check_frame(lines, width, height, zone)


@given(st.lists(st.tuples(TIMES, ANY, st.just("a")), max_size=12), st.sampled_from(ZONES))
def test_every_time_is_drawn_inside(rows: list[tuple[object, ...]], zone: ZoneInfo) -> None:
    check_frame(read(rows, 0, 1, 2), 720, 240, zone)


def check_frame(lines: dict[str, Line], width: int, height: int, zone: ZoneInfo | None) -> None:
    fit = frame(lines, (width, height), measure, zone)
    if fit is None:
        return
    assert 0 <= fit.left < fit.right <= width
    assert 0 <= fit.top < fit.bottom <= height
    for tick in fit.y_ticks:
        assert lies_in(fit.y(tick.at), fit.top, fit.bottom)
    for tick in fit.x_ticks:
        assert lies_in(fit.x(tick.at), fit.left, fit.right)
    for line in lines.values():
        for run in line.runs():
            for x, y in fit.points(thinned(run, fit.low_x, fit.high_x, 3)):
                assert lies_in(x, fit.left, fit.right)
                assert lies_in(y, fit.top, fit.bottom)
    for pixel in (fit.left - 8, fit.left, (fit.left + fit.right) / 2, fit.right + 8):
        assert nearest(lines, fit.value_at(pixel)) is not None
    assert step(lines, fit.value_at(fit.left), 1) >= fit.low_x


@given(st.lists(st.tuples(KNOWN, KNOWN), min_size=1, max_size=60), st.integers(1, 4))
def test_thinning_takes_every_double(points: list[tuple[float, float]], columns: int) -> None:
    xs, ys = sorted(x for x, _ in points), [y for _, y in points]
    kept_x, kept_y = thinned((xs, ys), xs[0], xs[-1], columns)
    assert set(kept_x) <= set(xs)
    assert (min(kept_y), max(kept_y)) == (min(ys), max(ys))
    assert len(kept_x) <= max(4 * (columns + 1), 4 * columns)


@given(ROWS)
def test_lines_are_clean(rows: list[tuple[object, ...]]) -> None:
    for line in read(rows, 0, 1, 2).values():
        assert all(math.isfinite(x) for x in line.xs)
        assert line.xs == sorted(line.xs)
        assert all(y is None or math.isfinite(y) for y in line.ys)
        assert line.last() is None or span_of({"": line}) is not None


def test_a_steady_sensor_is_a_level_line_in_the_middle() -> None:
    fit = frame(read([(1, STEADY[0], ""), (2, STEADY[1], "")], 0, 1, 2), (700, 240), measure, None)
    assert fit is not None
    first, last = fit.y(STEADY[0]), fit.y(STEADY[1])
    assert first == pytest.approx(last)
    assert fit.top + 40 < first < fit.bottom - 40


@given(st.lists(st.floats(0, 400), max_size=30), st.floats(0, 60))
def test_parted_labels_stay_finite(places: list[float], least: float) -> None:
    assert all(map(math.isfinite, parted(places, least, 0, 400)))


# Bars, histograms, columns, the grid


@given(st.lists(st.builds(Bar, st.text(max_size=9), ANY, st.text(max_size=9)), max_size=12), PIXELS, PIXELS)
def test_every_bar_lies_inside(entries: list[Bar], width: int, height: int) -> None:
    bars = lay_out(entries, width, height, measure)
    assert len(bars.rows) + bars.more == len(entries)
    for placed in bars.rows:
        assert lies_in(placed.left, 0, width)
        assert lies_in(placed.right, 0, width)
        assert placed.left <= placed.right
        assert math.isfinite(placed.top)


DELAYS = st.builds(DelayBar, DOUBLES, DOUBLES, st.integers(0, 10**400), st.integers(0, 10**400))


@given(st.lists(DELAYS, max_size=6), DOUBLES, st.integers(-5, 60))
def test_every_delay_has_its_place(bars: list[DelayBar], ms: float, most: int) -> None:
    within = axis(bars)
    assert 0 <= within.place(ms) <= 1
    assert 10 <= within.slots <= 10 * 21
    assert all(0 <= slot.at < within.slots for slot in slots(bars, within))
    ticks = within.ticks(most)
    assert len(ticks) <= 64
    assert all(0 <= tick.at <= 1 and len(tick.label) <= 20 for tick in ticks)
    assert all(before.at < after.at for before, after in pairwise(ticks))


@given(ANY.filter(lambda value: not isinstance(value, str)), DOUBLES | st.integers())
def test_a_part_is_a_part(number: float, largest: float) -> None:
    assert 0 <= part(number, largest) <= 1


SIZES = st.integers(-(10**20), 10**20)
NEEDS = st.builds(lambda whole, values: Need(max(whole, values), values), st.integers(0, 5_000), st.integers(0, 400))


@given(st.lists(st.tuples(NEEDS, st.none() | SIZES, st.booleans()), min_size=1, max_size=9), st.integers(0, 8_000))
def test_every_wish_for_a_width_ends_in_pixels(columns: list[tuple[Need, int | None, bool]], room: int) -> None:
    needs, wanted, held = (list(part) for part in zip(*columns, strict=True))
    assert all(0 <= width <= 12_000 for width in share(needs, wanted, held, room))


PLACES = st.tuples(*[st.integers(0, 10**400)] * 2, *[st.integers(1, 10**400)] * 2)


@given(st.lists(PLACES, min_size=1, max_size=5), PIXELS, PIXELS)
def test_every_place_on_the_grid_is_a_rectangle(places: list[At], width: int, height: int) -> None:
    rows, columns = extent(places)
    for at in places:
        box = cell(at, rows, columns, width, height)
        assert 0 <= box.left() <= width + 10
        assert 0 <= box.top() <= height + 10
        assert 0 <= box.width() <= width
        assert 0 <= box.height() <= height
