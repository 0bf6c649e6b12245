"""Where a histogram of delays lies: an axis of powers of ten, with bars of a tenth of one each. Pure, no Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from dataflow.session import DelayBar
from gui.models.numbers import finite
from gui.models.scale import Tick
from gui.text.status_text import delay_text

SLOTS = 10
"""Bars to a power of ten."""
_POWERS = (-6, 15)      # of ms: from a nanosecond to thirty thousand years


class Slot(NamedTuple):
    """A bar of the histogram: its place, counted from the left, and the bar."""

    at: int
    bar: DelayBar


class DelayAxis(NamedTuple):
    """Whole powers of ten of milliseconds, from 10**`low` to 10**`high`."""

    low: int
    high: int

    @property
    def slots(self) -> int:
        return (self.high - self.low) * SLOTS

    def place(self, ms: float) -> float:
        """Where a delay lies, 0 at the left end to 1 at the right one."""
        share = (_power(ms) - self.low) / (self.high - self.low)
        return min(1.0, max(0.0, share))

    def ticks(self, most: int) -> list[Tick]:
        """Labelled places: 1, 2 and 5 of each power of ten where at most `most` labels make that possible."""
        steps = (1, 2, 5) if 3 * (self.high - self.low) + 1 <= most else (1,)
        values = [step * 10.0**power for power in range(self.low, self.high) for step in steps]
        return [Tick(self.place(value), _label(value)) for value in [*values, 10.0**self.high]]


def axis(bars: Sequence[DelayBar]) -> DelayAxis:
    """An axis that holds these bars."""
    low = math.floor(min((_power(bar.from_ms) for bar in bars), default=0) + 1e-6)
    high = math.ceil(max((_power(bar.to_ms) for bar in bars), default=1) - 1e-6)
    low = min(low, _POWERS[1] - 1)
    return DelayAxis(low, max(high, low + 1))


def slots(bars: Sequence[DelayBar], within: DelayAxis) -> list[Slot]:
    """The bars in their places, each within the axis."""
    places = (round((_power(bar.from_ms) - within.low) * SLOTS) for bar in bars)
    return [Slot(min(within.slots - 1, max(0, at)), bar) for at, bar in zip(places, bars, strict=True)]


def part(number: float, largest: float) -> float:
    """Which part of the largest a number is: 0 to 1, and 0 where there is nothing to share."""
    whole, own = finite(largest) or 0.0, finite(number) or 0.0
    return min(1.0, max(0.0, own / whole)) if whole > 0 else 0.0


def _power(ms: float) -> float:
    """The power of ten of a delay, of those that an axis can have."""
    shortest, longest = (10.0**power for power in _POWERS)
    return math.log10(min(longest, max(shortest, 0.0 if math.isnan(ms) else ms)))


def _label(ms: float) -> str:
    """"1 ms", not "1.0 ms"."""
    if ms >= 60_000:
        return delay_text(ms)
    return f"{ms / 1000:g} s" if ms >= 1000 else f"{ms:g} ms"
