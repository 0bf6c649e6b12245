"""Measures of a group's pairs (y, x), each with how often it is there; DuckDB's meaning where a side does not vary, and
where a moment is beyond all floats.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain, repeat
from typing import NamedTuple

from dataflow.sql.runtime.exact_sums import exact_sum
from dataflow.sql.runtime.numbers import one_nan

__all__ = [
    "corr", "covar_pop", "covar_samp", "regr_avgx", "regr_avgy", "regr_count", "regr_intercept", "regr_r2",
    "regr_slope",
]  # fmt: skip

Pairs = dict[tuple[float, float], int]
NAN = math.nan


class Moments(NamedTuple):
    """How many pairs, and the sums of squares about the means: of y, of x, of both."""

    pairs: int
    yy: float
    xx: float
    both: float


def _moments(pairs: Pairs) -> Moments:
    count = sum(pairs.values())
    try:
        y, x = (math.fsum(pair[i] * times for pair, times in pairs.items()) / count for i in (0, 1))
        found = Moments(count, _about(pairs, 0, y, 0, y), _about(pairs, 1, x, 1, x), _about(pairs, 0, y, 1, x))
    except (OverflowError, ValueError):
        return _streamed(pairs)
    return found if all(map(math.isfinite, found)) else _streamed(pairs)


def _about(pairs: Pairs, one: int, mean: float, two: int, other: float) -> float:
    if one == two and len({pair[one] for pair in pairs}) == 1:
        return 0.0
    return math.fsum((pair[one] - mean) * (pair[two] - other) * times for pair, times in pairs.items())


def _streamed(pairs: Pairs) -> Moments:
    """As DuckDB computes them, pair by pair (Welford, 1962), which tells where floats end."""
    count, y, x, yy, xx, both = 0, 0.0, 0.0, 0.0, 0.0, 0.0
    for one, other in chain.from_iterable(repeat(pair, times) for pair, times in pairs.items()):
        count += 1
        new_y, new_x = y + (one - y) / count, x + (other - x) / count
        yy += (one - new_y) * (one - y)
        xx += (other - new_x) * (other - x)
        both += (other - x) * (one - new_y)
        y, x = new_y, new_x
    return Moments(count, yy, xx, both)


def _mean(pairs: Pairs, side: int) -> float | None:
    count = sum(pairs.values())
    return one_nan(exact_sum(_values(pairs, side)) / count) if count else None


def _values(pairs: Pairs, side: int) -> Iterator[float]:
    return chain.from_iterable(repeat(float(pair[side]), times) for pair, times in pairs.items())


def covar_pop(pairs: Pairs) -> float | None:
    found = _moments(pairs) if pairs else None
    return one_nan(found.both / found.pairs) if found else None


def covar_samp(pairs: Pairs) -> float | None:
    found = _moments(pairs) if pairs else None
    return one_nan(found.both / (found.pairs - 1)) if found and found.pairs > 1 else None


def corr(pairs: Pairs) -> float | None:
    if not pairs:
        return None
    count, yy, xx, both = _moments(pairs)
    if not yy * xx >= 0.0 or yy < 0.0:
        return NAN
    spread = math.sqrt(yy / count) * math.sqrt(xx / count)
    if spread and math.isfinite(spread):
        return one_nan(both / math.sqrt(yy) / math.sqrt(xx))
    return one_nan(both / count / spread) if spread else NAN


def regr_count(pairs: Pairs) -> int:
    return sum(pairs.values())


def regr_avgx(pairs: Pairs) -> float | None:
    return _mean(pairs, 1)


def regr_avgy(pairs: Pairs) -> float | None:
    return _mean(pairs, 0)


def regr_slope(pairs: Pairs) -> float | None:
    if not pairs:
        return None
    found = _moments(pairs)
    return one_nan(found.both / found.pairs / (found.xx / found.pairs)) if found.xx else NAN


def regr_intercept(pairs: Pairs) -> float | None:
    slope = regr_slope(pairs)
    if slope is None or math.isnan(slope):
        return None
    y, x = _mean(pairs, 0), _mean(pairs, 1)
    return one_nan(y - slope * x) if y is not None and x is not None else None


def regr_r2(pairs: Pairs) -> float | None:
    if not pairs:
        return None
    found = _moments(pairs)
    if not found.xx:
        return None
    related = corr(pairs)
    return 1.0 if not found.yy or related is None else one_nan(related * related)
