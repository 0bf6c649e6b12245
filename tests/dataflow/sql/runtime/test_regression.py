"""Measures of pairs against the textbook's formulas over the plain lists that they stand for."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable
from math import inf, isnan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.sql.runtime import regression

SIDES = st.sampled_from([-3.0, -1.0, 0.0, 0.5, 2.0, 7.0])
PAIRS = st.lists(st.tuples(SIDES, SIDES), min_size=2, max_size=9).filter(
    lambda pairs: all(len({*side}) > 1 for side in zip(*pairs, strict=True))
)
ALL: list[Callable[[Any], Any]] = [
    regression.covar_pop, regression.covar_samp, regression.corr, regression.regr_avgx, regression.regr_avgy,
    regression.regr_slope, regression.regr_intercept, regression.regr_r2,
]  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(PAIRS)
def test_pairs_that_vary_in_both(pairs: list[tuple[float, float]]) -> None:
    counts = Counter(pairs)
    y, x = (list(side) for side in zip(*pairs, strict=True))
    slope, intercept = statistics.linear_regression(x, y)
    related = statistics.correlation(x, y)
    assert regression.covar_samp(counts) == pytest.approx(statistics.covariance(x, y))
    assert regression.covar_pop(counts) == pytest.approx(statistics.covariance(x, y) * (len(x) - 1) / len(x))
    assert regression.corr(counts) == pytest.approx(related)
    assert regression.regr_r2(counts) == pytest.approx(related**2)
    assert regression.regr_slope(counts) == pytest.approx(slope)
    assert regression.regr_intercept(counts) == pytest.approx(intercept)
    assert regression.regr_avgx(counts) == pytest.approx(statistics.mean(x))
    assert regression.regr_avgy(counts) == pytest.approx(statistics.mean(y))
    assert regression.regr_count(counts) == len(pairs)


@pytest.mark.parametrize("call", ALL, ids=lambda call: call.__name__)
def test_of_nothing_there_is_none(call: Callable[[Any], Any]) -> None:
    assert call({}) is None
    assert regression.regr_count({}) == 0


NAN = pytest.approx(float("nan"), nan_ok=True)
FLAT: list[tuple[dict[tuple[float, float], int], dict[str, Any]]] = [
    # one pair
    ({(2.0, 3.0): 1}, {
        "covar_pop": 0.0, "covar_samp": None, "corr": NAN, "regr_slope": NAN, "regr_intercept": None, "regr_r2": None,
    }),
    # x does not vary
    ({(2.0, 3.0): 1, (4.0, 3.0): 2}, {
        "covar_pop": 0.0, "covar_samp": 0.0, "corr": NAN, "regr_slope": NAN, "regr_intercept": None, "regr_r2": None,
    }),
    # y does not vary
    ({(2.0, 3.0): 1, (2.0, 5.0): 2}, {
        "covar_pop": 0.0, "covar_samp": 0.0, "corr": NAN, "regr_slope": 0.0, "regr_intercept": 2.0, "regr_r2": 1.0,
    }),
]  # fmt: skip


@pytest.mark.parametrize(("pairs", "wanted"), FLAT)
def test_sides_that_do_not_vary(pairs: dict[tuple[float, float], int], wanted: dict[str, Any]) -> None:
    assert {name: getattr(regression, name)(pairs) for name in wanted} == wanted


def test_moments_beyond_all_floats_are_told_pair_by_pair() -> None:
    far = {(1e200, 1e200): 1, (-1e200, -1e200): 1}
    assert regression.covar_pop(far) == inf
    falling = {(1e200, 1.0): 2, (-1e200, 3.0): 2}
    assert regression.covar_pop(falling) == pytest.approx(-1e200)
    assert regression.covar_samp(falling) == pytest.approx(-1e200 * 4 / 3)
    assert regression.regr_slope(falling) == pytest.approx(-1e200)
    assert regression.regr_intercept(falling) == pytest.approx(2e200)
    for pairs in ({(inf, 1.0): 1, (1.0, 2.0): 1}, {(float("nan"), 1.0): 1, (1.0, 2.0): 1}):
        for call in (regression.covar_pop, regression.corr, regression.regr_slope):
            assert isnan(call(pairs) or 0.0)
    assert regression.regr_avgy({(inf, 1.0): 1, (1.0, 2.0): 1}) == inf
