"""Axes: where ticks stand and what they say. Pure, no Qt.

Number ticks are 1, 2, 2.5 or 5 times a power of ten apart. Time ticks stand on full seconds, minutes, hours
and days *of the zone*, also where a clock change lies between them; a tick at midnight says the day.
"""

from __future__ import annotations

import math
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


def number_ticks(low: float, high: float, most: int) -> list[Tick]:
    """Ticks that enclose [low, high], about `most` of them; labels with as many decimals as they need."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return []
    if high <= low:
        low, high = _around(low)
    step = nice_step((high - low) / max(1, most - 1))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if round(step, decimals) != step and round(step, decimals + 1) == step:
        decimals += 1
    return [Tick(at * step, number_label(at * step, decimals)) for at in range(first, last + 1)]


def nice_step(least: float) -> float:
    """The smallest of 1, 2, 2.5, 5 × 10ⁿ that is at least `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    for part in (1, 2, 2.5, 5):
        if part * power >= least * (1 - 1e-9):
            return part * power
    return 10 * power


def number_label(value: float, decimals: int) -> str:
    """A tick's number; thousands and millions short: "12k"."""
    if abs(value) >= 1e6 and value % 1e5 == 0:
        text = f"{value / 1e6:g}M"
    elif abs(value) >= 1e4 and value % 100 == 0:
        text = f"{value / 1e3:g}k"
    else:
        text = f"{value + 0.0:,.{decimals}f}"
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
            ticks.append(Tick(at, _time_label(wall, step)))
        wall += step
    return ticks


def _time_label(wall: datetime, step: timedelta) -> str:
    if wall.hour == wall.minute == wall.second == 0:
        return f"{wall.day} {wall:%b}"
    return f"{wall:%H:%M:%S}" if step.total_seconds() % 60 else f"{wall:%H:%M}"


def _around(value: float) -> tuple[float, float]:
    reach = abs(value) / 2 or 1.0
    return value - reach, value + reach
