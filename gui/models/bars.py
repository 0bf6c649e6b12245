"""The geometry of horizontal bars: as many as fit, the rest counted. Pure, no Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from gui.models.numbers import TINY, finite, linear

LEAST, PITCH, MOST = 20, 26, 32     # a row's height: the least, the usual, the most
GAP = 12


class Bar(NamedTuple):
    """What one row says."""

    label: str
    value: float | None
    text: str
    pending: bool = False


class Placed(NamedTuple):
    """A bar in pixels: its row's top, where the bar begins and ends."""

    bar: Bar
    top: float
    left: float
    right: float


class Bars(NamedTuple):
    """All of it. `label` and `text` are widths of the outer columns, `more` is how many rows do not fit."""

    pitch: float
    label: float
    text: float
    rows: list[Placed]
    more: int


def lay_out(bars: Sequence[Bar], width: float, height: float, measure: Callable[[str], float]) -> Bars:
    """Place the bars in width × height. Lengths are in proportion; negative ones go left of zero.

    What is no finite number has no length.
    """
    pitch, count = _rows(len(bars), height)
    fitting = bars[:count]
    label = min(max((measure(bar.label) for bar in fitting), default=0) + 2, width * 0.52)
    text = max((measure(bar.text) for bar in fitting), default=0) + 2
    left = min(width, label + GAP)
    right = max(left, width - text - GAP)
    values = [finite(bar.value) or 0 for bar in bars]
    low, high = min(0, min(values, default=0)), max(0, max(values, default=0))
    place = linear(low, high, left, right).at if high - low > TINY else lambda _: left
    rows = [
        _placed(bar, at * pitch, place(0), min(right, max(left, place(value))))
        for at, (bar, value) in enumerate(zip(fitting, values, strict=False))
    ]
    return Bars(pitch, label, text, rows, len(bars) - count)


def _rows(wanted: int, height: float) -> tuple[float, int]:
    """A row's height, and how many there are; the last place is for "+n more" where not all fit."""
    if wanted * LEAST <= height:
        return min(MOST if wanted <= 4 else PITCH + 2, max(LEAST, height / max(1, wanted))), wanted
    pitch = float(PITCH - 2)
    return pitch, max(0, int(height // pitch) - 1)


def _placed(bar: Bar, top: float, zero: float, end: float) -> Placed:
    return Placed(bar, top, min(zero, end), max(zero, end))
