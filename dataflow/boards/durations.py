"""Durations in a board file: seconds, or a number with a unit."""

from __future__ import annotations

import math
import re

_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400}
_FORM = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)\Z")
HINT = 'seconds, or a number with a unit: "90s", "5m", "2h", "1d"'


def read_duration(value: str | float) -> int:
    """`value` in microseconds, above zero. Raises ValueError."""
    seconds = _seconds(value) if isinstance(value, str) else float(value)
    if not (math.isfinite(seconds) and 0 < seconds <= 1e10):
        raise ValueError(f"{value!r} is no span of time above zero")
    return max(1, round(seconds * 1_000_000))


def _seconds(text: str) -> float:
    match = _FORM.match(text.strip().lower())
    if match is None or match[2] not in _UNITS:
        raise ValueError(f'"{text[:40]}" is no span of time')
    return float(match[1]) * _UNITS[match[2]]
