"""Exact sums of floats from which values may be taken out again: they do not drift.

A sum is a float, `high`, and a list of floats that do not overlap, smallest first; the exact sum of all is the sum
(Shewchuk, 1997, as in `math.fsum`). Generated code adds to `high` as long as that is exact, which it tests by
taking the result apart again (s − h = x and s − x = h hold only then), and comes here otherwise. Adding −x undoes
adding x to the last bit. Infinities and NaN are kept apart, in a dict at the list's head, by how many there are of
each; a list without them has none. Floats whose sum is beyond all floats stand in the list side by side.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

__all__ = ["exact_add", "exact_sum", "exact_take", "exact_total"]

INF, NAN = math.inf, math.nan


def exact_add(parts: list[Any], high: float, value: float) -> float:
    """Add a value that `high` cannot take up; the new `high`."""
    if value - value != 0.0:
        _odd(parts, value, 1)
        return high
    return _settle(parts, high, value)


def exact_take(parts: list[Any], high: float, value: float) -> float:
    """Take out a value that was added; the new `high`."""
    if value - value != 0.0:
        _odd(parts, value, -1)
        return high
    return _settle(parts, high, -value)


def _settle(parts: list[Any], high: float, value: float) -> float:
    _grow(parts, high)
    _grow(parts, value)
    return parts.pop() if parts and type(parts[-1]) is float else 0.0


def _grow(parts: list[Any], value: float) -> None:
    count = 0
    skip = 1 if parts and type(parts[0]) is dict else 0
    for at in range(skip, len(parts)):
        part = parts[at]
        if abs(value) < abs(part):
            value, part = part, value
        high = value + part
        if high - high != 0.0:  # beyond all floats: both stay as they are
            parts[skip + count] = part
            count += 1
            continue
        low = part - (high - value)
        if low:
            parts[skip + count] = low
            count += 1
        value = high
    parts[skip + count :] = [value] if value else []


def _odd(parts: list[Any], value: float, step: int) -> None:
    if not parts or type(parts[0]) is not dict:
        parts.insert(0, {})
    odd = parts[0]
    kind = str(value)
    odd[kind] = odd.get(kind, 0) + step
    if not odd[kind]:
        del odd[kind]
    if not odd:
        del parts[0]


def exact_total(high: float, parts: list[Any]) -> float:
    if not parts:
        return high
    if parts and type(parts[0]) is dict:
        odd = parts[0]
        return NAN if len(odd) > 1 or "nan" in odd else INF if "inf" in odd else -INF
    return exact_sum([high, *parts])


def exact_sum(values: Iterable[float]) -> float:
    """The sum of all, rounded once; infinite where it is beyond all floats."""
    values = list(values)
    try:
        total = math.fsum(values)
    except ValueError:
        return NAN
    except OverflowError:
        return _beyond(values)
    return total if total == total else NAN  # noqa: PLR0124  (NaN)


def _beyond(values: list[float]) -> float:
    """The sum where a part of it, perhaps not the whole, is beyond all floats."""
    plain = sum(value for value in values if value - value != 0.0)
    if plain != 0.0:
        return plain if plain == plain else NAN  # noqa: PLR0124  (NaN)
    total = sum(map(Fraction, values))
    try:
        return float(total)
    except OverflowError:
        return INF if total > 0 else -INF
