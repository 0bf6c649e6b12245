"""Where a histogram of delays lies: an axis of powers of ten, with bars of a tenth of one each. Pure, no Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from dataflow.session import DelayBar
from gui.models.scale import Tick
from gui.standing import delay_text

SLOTS = 10
"""Bars to a power of ten."""


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
        share = (math.log10(max(ms, 1e-9)) - self.low) / (self.high - self.low)
        return min(1.0, max(0.0, share))

    def ticks(self, most: int) -> list[Tick]:
        """Labelled places: 1, 2 and 5 of each power of ten where at most `most` labels make that possible."""
        steps = (1, 2, 5) if 3 * (self.high - self.low) + 1 <= most else (1,)
        values = [step * 10.0**power for power in range(self.low, self.high) for step in steps]
        return [Tick(self.place(value), _label(value)) for value in [*values, 10.0**self.high]]


def axis(bars: Sequence[DelayBar]) -> DelayAxis:
    """An axis that holds these bars."""
    low = math.floor(min(math.log10(bar.from_ms) for bar in bars) + 1e-6)
    high = math.ceil(max(math.log10(bar.to_ms) for bar in bars) - 1e-6)
    return DelayAxis(low, max(high, low + 1))


def slots(bars: Sequence[DelayBar], within: DelayAxis) -> list[Slot]:
    """The bars in their places."""
    return [Slot(round((math.log10(bar.from_ms) - within.low) * SLOTS), bar) for bar in bars]


def _label(ms: float) -> str:
    """"1 ms", not "1.0 ms"."""
    if ms >= 60_000:
        return delay_text(ms)
    return f"{ms / 1000:g} s" if ms >= 1000 else f"{ms:g} ms"
