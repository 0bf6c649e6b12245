"""Numbers that can be drawn, and how a span of them lies on a span of pixels. Pure, no Qt.

A value of a query may be any double, an integer of any size, a decimal, or nothing at all. `finite` lets through what
has a place on an axis; `Linear` finds that place without ever leaving the doubles, also where the span itself is beyond
them (±1.79e308 side by side) or too small to divide by (denormal numbers).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

LARGEST = sys.float_info.max
TINY = 1e-290
"""What is nearer to zero than this is zero to an axis: the reciprocal of its span must be a double."""


def finite(value: Any) -> float | None:
    """The value where a double can hold it; None for NULL, NaN, infinity, larger integers, and what is no number."""
    try:
        if not isinstance(value, (int, float, Decimal)) or not math.isfinite(value):
            return None
    except (OverflowError, ValueError):     # an integer beyond all doubles; a signalling NaN
        return None
    return float(value) if isinstance(value, Decimal) else value


def all_finite(values: Sequence[Any]) -> bool:
    """Whether each value is an int or a float with a place on an axis. May say no too often, never yes."""
    if not {int, float}.issuperset(map(type, values)):
        return False
    try:
        return math.isfinite(sum(values))
    except OverflowError:
        return False


class Linear(NamedTuple):
    """Maps [low, high] to pixels: `start` + (value × `unit` − `origin`) × `factor`."""

    start: float
    origin: float
    unit: float
    factor: float

    def at(self, value: float) -> float:
        """The pixel of a value."""
        return self.start + (value * self.unit - self.origin) * self.factor


def linear(low: float, high: float, start: float, end: float) -> Linear:
    """The map of [low, high] to [start, end]; where low and high are as good as one, all lies in the middle."""
    unit = 1.0 if math.isfinite(high - low) else 0.5
    span = high * unit - low * unit
    if not span > TINY:
        return Linear((start + end) / 2, 0.0, 0.0, 0.0)
    return Linear(start, low * unit, unit, (end - start) / span)


def between(low: float, high: float, share: float) -> float:
    """The value that lies at a share of [low, high]: `low` at 0, `high` at 1."""
    span = high - low
    return low + share * span if math.isfinite(span) else low * (1 - share) + high * share
