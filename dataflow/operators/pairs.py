"""Measures of a group's pairs (y, x), each with how often it is there; DuckDB's meaning where a side does not vary."""

from __future__ import annotations

import math

Pairs = dict[tuple[float, float], int]
NAN = math.nan


def _moments(pairs: Pairs) -> tuple[int, float, float, float, float, float]:
    """How many, the means of y and x, and the sums of squares about them: of y, of x, of both."""
    count = sum(pairs.values())
    try:
        y, x = (math.fsum(pair[i] * times for pair, times in pairs.items()) / count for i in (0, 1))
        syy = _about(pairs, 0, y, 0, y)
        return count, y, x, syy, _about(pairs, 1, x, 1, x), _about(pairs, 0, y, 1, x)
    except (OverflowError, ValueError):
        return count, NAN, NAN, NAN, NAN, NAN


def _about(pairs: Pairs, one: int, mean: float, two: int, other: float) -> float:
    if one == two and len({pair[one] for pair in pairs}) == 1:
        return 0.0
    return math.fsum((pair[one] - mean) * (pair[two] - other) * times for pair, times in pairs.items())


def covar_pop(pairs: Pairs) -> float | None:
    count, *_, both = _moments(pairs) if pairs else (0, 0.0)
    return both / count if count else None


def covar_samp(pairs: Pairs) -> float | None:
    count, *_, both = _moments(pairs) if pairs else (0, 0.0)
    return both / (count - 1) if count > 1 else None


def corr(pairs: Pairs) -> float | None:
    if not pairs:
        return None
    _, _, _, syy, sxx, both = _moments(pairs)
    return both / math.sqrt(syy) / math.sqrt(sxx) if syy and sxx else NAN


def regr_count(pairs: Pairs) -> int:
    return sum(pairs.values())


def regr_avgx(pairs: Pairs) -> float | None:
    return _moments(pairs)[2] if pairs else None


def regr_avgy(pairs: Pairs) -> float | None:
    return _moments(pairs)[1] if pairs else None


def regr_slope(pairs: Pairs) -> float | None:
    if not pairs:
        return None
    *_, sxx, both = _moments(pairs)
    return both / sxx if sxx else NAN


def regr_intercept(pairs: Pairs) -> float | None:
    if not pairs:
        return None
    _, y, x, _, sxx, both = _moments(pairs)
    return y - both / sxx * x if sxx else None


def regr_r2(pairs: Pairs) -> float | None:
    if not pairs:
        return None
    _, _, _, syy, sxx, both = _moments(pairs)
    if not sxx:
        return None
    if not syy:
        return 1.0
    return both * both / (syy * sxx) if syy * sxx else NAN
