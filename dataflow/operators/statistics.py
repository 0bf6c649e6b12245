"""Statistics over a group's values, each with how often it is there: for what a fold cannot do."""

from __future__ import annotations

import math
from typing import Any

NAN = math.nan


def _nan_last(value: float) -> tuple[bool, float]:
    return value != value, value  # noqa: PLR0124


def quantile(values: dict[float, int], part: float) -> float | None:
    """The value below which `part` of the others lie, interpolated."""
    if not values:
        return None
    ranked = sorted(values, key=_nan_last)
    at = part * (sum(values.values()) - 1)
    low = _ranked(ranked, values, math.floor(at))
    high = _ranked(ranked, values, math.ceil(at))
    return float(low) if low == high else low + (high - low) * (at - math.floor(at))


def _ranked(ranked: list[float], values: dict[float, int], index: int) -> float:
    for value in ranked:
        index -= values[value]
        if index < 0:
            return value
    return ranked[-1]


def variance(values: dict[float, int], fewer: int) -> float | None:
    """Over n − `fewer`: 1 for a sample, 0 for the whole population."""
    count = sum(values.values())
    if count <= fewer:
        return None
    if count == 1:
        return 0.0
    if not all(map(math.isfinite, values)):
        return NAN
    mean = math.fsum(value * times for value, times in values.items()) / count
    return math.fsum((value - mean) ** 2 * times for value, times in values.items()) / (count - fewer)


def deviation(values: dict[float, int], fewer: int) -> float | None:
    found = variance(values, fewer)
    return None if found is None else math.sqrt(found)


def joined(values: dict[tuple[Any, str], int], separator: str) -> str | None:
    """Texts in order of their keys."""
    if not values:
        return None
    return separator.join(text for key, text in sorted(values) for _ in range(values[key, text]))


def listed(values: dict[tuple[Any, str], int]) -> str | None:
    """JSON texts, in order of their keys, as a JSON array."""
    text = joined(values, ",")
    return None if text is None else f"[{text}]"
