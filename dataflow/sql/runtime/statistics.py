"""Statistics over a group's values, each with how often it is there: for what a fold cannot do."""

from __future__ import annotations

import math
from typing import Any

from dataflow.sql.runtime.limits import LONGEST_TEXT
from dataflow.sql.runtime.numbers import one_nan

__all__ = [
    "all_bits", "any_bits", "deviation", "joined", "joined_once", "listed", "listed_once", "most_frequent",
    "odd_bits", "odd_bits_once", "product", "quantile", "quantile_disc", "variance",
]  # fmt: skip

NAN = math.nan


def _nan_last(value: Any) -> tuple[bool, Any]:
    return value != value, value  # noqa: PLR0124


def quantile(values: dict[float, int], part: float) -> float | None:
    """The value below which `part` of the others lie, interpolated."""
    if not values:
        return None
    ranked = sorted(values, key=_nan_last)
    at = part * (sum(values.values()) - 1)
    low = _ranked(ranked, values, math.floor(at))
    high = _ranked(ranked, values, math.ceil(at))
    share = at - math.floor(at)
    return one_nan(float(low) if not share else float(low) * (1.0 - share) + float(high) * share)


def _ranked(ranked: list[Any], values: dict[Any, int], index: int) -> Any:
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
    if len(values) == 1:
        return 0.0
    try:
        mean = math.fsum(value * times for value, times in values.items()) / count
        squares = math.fsum((value - mean) ** 2 * times for value, times in values.items())
    except (OverflowError, ValueError):
        squares = math.inf
    return one_nan((squares if math.isfinite(squares) else _streamed(values)) / (count - fewer))


def _streamed(values: dict[float, int]) -> float:
    """The sum of squares about the mean, as DuckDB has it where that is beyond all floats (Welford, 1962)."""
    count, mean, squares = 0, 0.0, 0.0
    for value, times in values.items():
        for _ in range(times):
            count += 1
            following = mean + (value - mean) / count
            squares += (value - following) * (value - mean)
            mean = following
    return squares


def deviation(values: dict[float, int], fewer: int) -> float | None:
    found = variance(values, fewer)
    return None if found is None else math.sqrt(found) if found >= 0 else NAN


def joined(values: dict[tuple[Any, str], int], separator: str) -> str | None:
    """Texts in order of their keys; NULL where that is too long."""
    if not values:
        return None
    size = sum((len(text) + len(separator)) * times for (_, text), times in values.items())
    if size > LONGEST_TEXT:
        return None
    return separator.join(text for key, text in sorted(values) for _ in range(values[key, text]))


def listed(values: dict[tuple[Any, str], int]) -> str | None:
    """JSON texts, in order of their keys, as a JSON array."""
    text = joined(values, ",")
    return None if text is None else f"[{text}]"


def quantile_disc(values: dict[Any, int], part: float, desc: bool) -> Any:
    """The first value that at least `part` of all do not exceed."""
    if not values:
        return None
    count = sum(values.values())
    at = max(math.ceil(count * part), 1) - 1
    return _ranked(sorted(values, key=_nan_last), values, count - 1 - at if desc else at)


def most_frequent(values: dict[Any, int]) -> Any:
    """The least of those that are there most often."""
    if not values:
        return None
    most = max(values.values())
    return min((value for value, times in values.items() if times == most), key=_nan_last)


def product(values: dict[float, int]) -> float | None:
    if not values:
        return None
    total = 1.0
    for value in sorted(values, key=_nan_last):
        try:
            total *= float(value) ** values[value]
        except OverflowError:
            total *= math.copysign(math.inf, value) if values[value] % 2 else math.inf
    return one_nan(total)


def all_bits(values: dict[int, int]) -> int | None:
    found = -1
    for value in values:
        found &= value
    return found if values else None


def any_bits(values: dict[int, int]) -> int | None:
    found = 0
    for value in values:
        found |= value
    return found if values else None


def odd_bits(values: dict[int, int]) -> int | None:
    odd = {value: 1 for value, times in values.items() if times % 2}
    return (odd_bits_once(odd) or 0) if values else None


def odd_bits_once(values: dict[int, int]) -> int | None:
    """Of each value once."""
    found = 0
    for value in values:
        found ^= value
    return found if values else None


def joined_once(values: dict[tuple[Any, str], int], separator: str) -> str | None:
    """As `joined`, each text once."""
    return joined(dict.fromkeys(values, 1), separator)


def listed_once(values: dict[tuple[Any, str], int]) -> str | None:
    return listed(dict.fromkeys(values, 1))
