"""The geometry of a line chart: margins, ticks, and from data to pixels and back. Pure, no Qt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from itertools import pairwise
from typing import NamedTuple

from gui.models.numbers import Linear, between, linear
from gui.models.scale import Tick, apart, number_axis, number_label, time_ticks
from gui.models.series import Line, Run, extent

TOP, BOTTOM = 8, 26
_ROW = 28           # about the least distance between two grid lines
_GAP = 28           # and between two labels of the x axis
_HALF_HOUR = 1_800_000_000
_COUNTABLE = 1e9    # up to here one more on either side is seen


class Frame(NamedTuple):
    """Where the plot lies in pixels, what it spans, and its ticks."""

    left: float
    top: float
    right: float
    bottom: float
    low_x: float
    high_x: float
    low_y: float
    high_y: float
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    decimals: int

    def x(self, value: float) -> float:
        """The pixel of an x."""
        return self._across().at(value)

    def y(self, value: float) -> float:
        """The pixel of a y; high values are at the top."""
        return self._down().at(value)

    def points(self, run: Run) -> list[tuple[float, float]]:
        """The pixels of a run of points."""
        left, low_x, unit_x, across = self._across()
        bottom, low_y, unit_y, down = self._down()
        return [
            (left + (x * unit_x - low_x) * across, bottom + (y * unit_y - low_y) * down)
            for x, y in zip(*run, strict=True)
        ]

    def value_at(self, pixel: float) -> float:
        """The x at a pixel."""
        return between(self.low_x, self.high_x, (pixel - self.left) / (self.right - self.left))

    def _across(self) -> Linear:
        return linear(self.low_x, self.high_x, self.left, self.right)

    def _down(self) -> Linear:
        return linear(self.low_y, self.high_y, self.bottom, self.top)


def frame(
    lines: Mapping[str, Line],
    size: tuple[float, float],
    measure: Callable[[str], float],
    zone: tzinfo | None,
) -> Frame | None:
    """Fit the lines into (width, height); at the right there is room for the values at their ends.

    None where there is nothing to draw or no room for it. With a zone, x is a time.
    """
    width, height = size
    span = extent(lines)
    if span is None:
        return None
    low_x, high_x, low_y, high_y = span
    axis = number_axis(*_with_zero(low_y, high_y), max(2, round((height - TOP - BOTTOM) / _ROW)))
    left = max((measure(tick.label) for tick in axis.ticks), default=0) + 12
    ends = [number_label(last[1], axis.decimals) for line in lines.values() if (last := line.last())]
    right = width - max(map(measure, ends), default=0) - 14
    if right - left < 40 or height < TOP + BOTTOM + 30:
        return None
    low_x, high_x = _widened(low_x, high_x, zone)
    x_ticks = _x_ticks(low_x, high_x, right - left, measure, zone)
    box = (left, TOP, right, height - BOTTOM)
    return Frame(*box, low_x, high_x, axis.low, axis.high, x_ticks, axis.ticks, axis.decimals)


def parted(places: Sequence[float], least: float, low: float, high: float) -> list[float]:
    """The places, moved so that neighbours are at least `least` apart, in [low, high] as far as that goes."""
    order = sorted(range(len(places)), key=places.__getitem__)
    result = list(places)
    for before, after in pairwise(order):
        result[after] = max(result[after], result[before] + least)
    limit = high
    for at in reversed(order):
        result[at] = min(result[at], limit)
        limit = result[at] - least
    if result and (under := low - min(result)) > 0:
        result = [place + under for place in result]
    return result


def _x_ticks(
    low: float, high: float, width: float, measure: Callable[[str], float], zone: tzinfo | None
) -> Sequence[Tick]:
    most = max(1, int(width // (measure("00:00") + _GAP)))
    if zone is not None:
        return time_ticks(int(low), int(high), most, zone)
    return [tick for tick in number_axis(low, high, most).ticks if low <= tick.at <= high]


def _with_zero(low: float, high: float) -> tuple[float, float]:
    """Zero belongs to the picture unless the values keep far from it."""
    if 0 < low < high / 2:
        return 0, high
    return (low, 0) if low / 2 < high < 0 else (low, high)


def _widened(low: float, high: float, zone: tzinfo | None) -> tuple[float, float]:
    """The span of x, or one around it where it is a point. Times are whole, and told apart to the last one."""
    if zone is not None:
        return (low, high) if high > low else (low - _HALF_HOUR, high + _HALF_HOUR)
    return (low - 1, high + 1) if low == high and abs(low) < _COUNTABLE else apart(low, high)
