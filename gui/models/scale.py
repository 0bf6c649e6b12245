"""Axes: where ticks stand and what they say. Pure, no Qt.

Number ticks are 1, 2, 2.5 or 5 times a power of ten apart. Time ticks stand on full seconds, minutes, hours
and days *of the zone*, also where a clock change lies between them; a tick at midnight says the day.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from gui.format import MINUS, NARROW, local_time

_SECOND = 1_000_000
_DAY = 86_400
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, _DAY)
_DAYS = (1, 2, 7, 14, 28, 91, 182, 364)


class Tick(NamedTuple):
    """A value on an axis and its label."""

    at: float
    label: str


class Axis(NamedTuple):
    """What an axis spans, its ticks, and how many decimals tell its values apart."""

    low: float
    high: float
    ticks: Sequence[Tick]
    decimals: int


def number_axis(low: float, high: float, most: int) -> Axis:
    """An axis that holds [low, high], with about `most` ticks.

    It reaches a little further, to a round part of a tick's distance: so it stands still while data move.
    """
    if high <= low:
        low, high = _around(low)
    step = nice_step((high - low) / max(1, most))
    part = step / 4
    start, end = math.floor(low / part + 1e-9) * part, math.ceil(high / part - 1e-9) * part
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) + (1 if _half(step) else 0)
    places = range(math.ceil(start / step - 1e-9), math.floor(end / step + 1e-9) + 1)
    ticks = [Tick(at * step, _tick_label(at * step, decimals, step)) for at in places]
    return Axis(start, end, ticks, max(0, 1 - math.floor(math.log10(step))))


def nice_step(least: float) -> float:
    """The smallest of 1, 2, 2.5, 5 × 10ⁿ that is at least `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    for part in (1, 2, 2.5, 5):
        if part * power >= least * (1 - 1e-9):
            return part * power
    return 10 * power


def number_label(value: float, decimals: int) -> str:
    """The number with so many decimals, its groups parted, and no minus before a zero."""
    text = f"{value:,.{decimals}f}"
    text = text.removeprefix("-") if not text.strip("-0.,") else text
    return text.replace(",", NARROW).replace("-", MINUS)


def time_ticks(low: int, high: int, most: int, zone: tzinfo) -> list[Tick]:
    """Ticks within [low, high], in microseconds since 1970-01-01 UTC, at most `most` of them."""
    seconds = max(1, (high - low) // _SECOND)
    wanted = seconds / max(1, most)
    try:
        first, last = local_time(low, zone), local_time(high, zone)
    except OverflowError:
        return []
    step = next((step for step in _STEPS if step >= wanted), None)
    if step is None:
        days = next((days for days in _DAYS if days * _DAY >= wanted), math.ceil(wanted / _DAY))
        step = days * _DAY
    return _walk(first, last, timedelta(seconds=step), zone)


def _walk(first: datetime, last: datetime, step: timedelta, zone: tzinfo) -> list[Tick]:
    """Along the wall clock, so that ticks stay on full hours when the clocks change."""
    wall = first.replace(tzinfo=None)
    midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0)
    wall = midnight + math.ceil((wall - midnight) / step) * step
    ticks: list[Tick] = []
    while wall <= last.replace(tzinfo=None) and len(ticks) < 100:
        at = round(wall.replace(tzinfo=zone).timestamp() * _SECOND)
        if not ticks or at > ticks[-1].at:
            ticks.append(Tick(at, _time_label(local_time(at, zone), step)))
        wall += step
    return ticks


def _time_label(wall: datetime, step: timedelta) -> str:
    if wall.hour == wall.minute == wall.second == 0:
        return f"{wall.day} {wall:%b}"
    return f"{wall:%H:%M:%S}" if step.total_seconds() % 60 else f"{wall:%H:%M}"


def _tick_label(value: float, decimals: int, step: float) -> str:
    """Where ticks are thousands or millions apart, they are told in those: "12k"."""
    for size, sign in ((1e6, "M"), (1e3, "k")):
        if step >= size and value:
            return f"{value / size:g}{sign}".replace("-", MINUS)
    return number_label(value, decimals)


def _half(step: float) -> bool:
    """Whether the step is 2.5, which takes a decimal more than its power of ten."""
    power = 10.0 ** math.floor(math.log10(step) + 1e-9)
    return power <= 1 and math.isclose(step / power, 2.5)


def _around(value: float) -> tuple[float, float]:
    reach = abs(value) / 2 or 1.0
    return value - reach, value + reach
