"""Axes: where ticks stand and what they say. Pure, no Qt.

Number ticks are 1, 2, 2.5 or 5 times a power of ten apart. Time ticks stand on full seconds, minutes, hours
and days *of the zone*, also where a clock change lies between them; a tick at midnight says the day.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from gui.models.numbers import LARGEST, TINY
from gui.text.values import MINUS, NARROW, local_time

_SECOND = 1_000_000
_DAY = 86_400
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, _DAY)
_DAYS = (1, 2, 7, 14, 28, 91, 182, 364)
_MOST = 100             # ticks on any axis of times
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = (           # what every zone can tell as a local time, with a day to spare
    (edge - _EPOCH) // timedelta(microseconds=1)
    for edge in (datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC))
)
_FLAT = 1e-12           # a span that is a smaller part of its values has no room for ticks
_ROUNDING = 1e-15       # of a number of steps: a few places of a double
_LARGEST_STEP = 1e308
_LONG, _FIXED, _DIGITS = 1e15, 14, 15     # from where on a label is in powers of ten; its digits


class Tick(NamedTuple):
    """A value on an axis and its label."""

    at: float
    label: str


class Axis(NamedTuple):
    """What an axis spans, its ticks, and how many decimals tell its values apart (below 0: tens, hundreds do)."""

    low: float
    high: float
    ticks: Sequence[Tick]
    decimals: int


def number_axis(low: float, high: float, most: int) -> Axis:
    """An axis that holds [low, high], with about `most` ticks. Every double is a bound, in any order.

    It reaches a little further, to a round part of a tick's distance: so it stands still while data move. Values that
    differ by less than doubles can tell apart with ticks between them are one value.
    """
    low, high = apart(*sorted(map(_bound, (low, high))))
    step = nice_step((high / 2 - low / 2) / max(1, most) * 2)
    part = step / 4
    start = max(-LARGEST, min(low, _whole_below(low / part) * part))
    end = min(LARGEST, max(high, _whole_above(high / part) * part))
    power = math.floor(math.log10(step) + 1e-9)
    decimals = (1 if _half(step) else 0) - power
    places = range(_whole_above(start / step), _whole_below(end / step) + 1)
    ticks = [Tick(min(end, max(start, at * step)), _tick_label(at * step, decimals, step)) for at in places]
    if not ticks:       # rounding has taken the only one
        return number_axis(low, high, most + 1)
    return Axis(start, end, ticks, 1 - power)


def apart(low: float, high: float) -> tuple[float, float]:
    """[low, high] where it is wide enough for an axis; else a span around it that is. Finite, low ≤ high."""
    size = max(abs(low), abs(high))
    if high - low > max(size * _FLAT, TINY):
        return low, high
    reach = size / 2 if size > TINY else 1.0
    return max(-LARGEST, low - reach), min(LARGEST, high + reach)


def nice_step(least: float) -> float:
    """The smallest of 1, 2, 2.5, 5 × 10ⁿ that is at least `least`, as far as doubles reach."""
    if least >= _LARGEST_STEP:
        return _LARGEST_STEP
    power = 10.0 ** math.floor(math.log10(least))
    for part in (1, 2, 2.5, 5):
        if part * power >= least * (1 - 1e-9):
            return part * power
    return 10 * power


def number_label(value: float, decimals: int) -> str:
    """The number with so many decimals, its groups parted, and no minus before a zero.

    Where that would be longer than a label can be, in powers of ten, with as many digits. `decimals` below 0 are those
    that do not count: tens, hundreds.
    """
    if abs(value) >= _LONG or decimals > _FIXED:
        size = math.floor(math.log10(abs(value))) if value else 0
        text = f"{value:.{min(_DIGITS, max(1, size + 1 + decimals))}g}"
    else:
        text = f"{value:,.{max(0, decimals)}f}"
    text = text.removeprefix("-") if not text.strip("-0.,") else text
    return text.replace(",", NARROW).replace("-", MINUS)


def time_ticks(low: int, high: int, most: int, zone: tzinfo) -> list[Tick]:
    """Ticks within [low, high], in microseconds since 1970-01-01 UTC, at most `most` of them."""
    low, high = max(low, _FIRST), min(high, _LAST)
    if low > high:
        return []
    seconds = max(1, (high - low) // _SECOND)
    wanted = seconds / max(1, most)
    step = next((step for step in _STEPS if step >= wanted), None)
    if step is None:
        days = next((days for days in _DAYS if days * _DAY >= wanted), math.ceil(wanted / _DAY))
        step = days * _DAY
    return _walk(low, high, timedelta(seconds=step), zone)


def _walk(low: int, high: int, step: timedelta, zone: tzinfo) -> list[Tick]:
    """Along the wall clock, so that ticks stay on full hours when the clocks change."""
    ticks: list[Tick] = []
    first, last = (local_time(end, zone).replace(tzinfo=None) for end in (low, high))
    for wall in _walls(first, last, step):
        at = round(wall.replace(tzinfo=zone).timestamp() * _SECOND)
        if low <= at <= high and (not ticks or at > ticks[-1].at):
            ticks.append(Tick(at, _time_label(local_time(at, zone), step)))
    return ticks


def _walls(first: datetime, last: datetime, step: timedelta) -> Iterator[datetime]:
    """The times of day in [first, last] that lie whole steps after the first one's midnight."""
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    number = math.ceil((first - midnight) / step)
    for count in range(number, number + _MOST):
        if step * count > last - midnight:
            return
        yield midnight + step * count


def _time_label(wall: datetime, step: timedelta) -> str:
    if wall.hour == wall.minute == wall.second == 0:
        return f"{wall.day} {wall:%b}"
    return f"{wall:%H:%M:%S}" if step.total_seconds() % 60 else f"{wall:%H:%M}"


def _tick_label(value: float, decimals: int, step: float) -> str:
    """Where ticks are thousands or millions apart, they are told in those: "12k"."""
    for size, sign in ((1e6, "M"), (1e3, "k")):
        if step >= size and 0 < abs(value) < _LONG:
            return f"{value / size:.{_DIGITS}g}{sign}".replace("-", MINUS)
    return number_label(value, decimals)


def _half(step: float) -> bool:
    """Whether the step is 2.5, which takes a decimal more than its power of ten."""
    return math.isclose(step / 10.0 ** math.floor(math.log10(step) + 1e-9), 2.5)


def _whole_below(parts: float) -> int:
    """The largest whole number that is not above, but for what rounding has taken away."""
    return math.floor(parts + max(1e-9, abs(parts) * _ROUNDING))


def _whole_above(parts: float) -> int:
    return -_whole_below(-parts)


def _bound(value: float) -> float:
    """The nearest double that an axis can hold; 0 for NaN."""
    return 0.0 if math.isnan(value) else min(LARGEST, max(-LARGEST, float(value)))
