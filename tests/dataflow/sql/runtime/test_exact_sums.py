"""Exact sums against fractions, whatever comes and goes in whatever order."""

from __future__ import annotations

from fractions import Fraction
from math import inf, isnan, nan
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.sql.runtime.exact_sums import exact_add, exact_sum, exact_take, exact_total

FINITE = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([0.1, 0.2, -0.3, 1e16, 1.0, 1e-300, 5e-324]),
)  # fmt: skip
HUGE = 1.7e308


def rounded(values: list[float]) -> float:
    total = sum(map(Fraction, values), Fraction())
    try:
        return float(total)
    except OverflowError:
        return inf if total > 0 else -inf


@settings(max_examples=80, deadline=None)
@given(values=st.lists(FINITE, max_size=12), seed=st.integers(0, 99), gone=st.integers(0, 12))
def test_what_came_and_did_not_go_is_summed_exactly(values: list[float], seed: int, gone: int) -> None:
    parts: list[Any] = []
    high = 0.0
    for value in values:
        high = exact_add(parts, high, value)
    assert exact_total(high, parts) == rounded(values) == exact_sum(values)
    mixed = Random(seed).sample(values, len(values))
    for value in mixed[:gone]:
        high = exact_take(parts, high, value)
    assert exact_total(high, parts) == rounded(mixed[gone:])
    for value in mixed[gone:]:
        high = exact_take(parts, high, value)
    assert (high, parts) == (0.0, [])


def test_parts_stand_in_order_and_none_is_zero() -> None:
    parts: list[Any] = []
    high = 0.0
    for value in (1e16, 1.0, 1e-16, 0.1, -1e16, 1e300):
        high = exact_add(parts, high, value)
    sizes = [abs(part) for part in [*parts, high]]
    assert sizes == sorted(sizes)
    assert 0.0 not in sizes


@pytest.mark.parametrize(
    ("odd", "wanted"),
    [([inf], inf), ([-inf], -inf), ([inf, inf], inf), ([inf, -inf], nan), ([nan], nan), ([nan, inf], nan)],
)
def test_what_is_not_finite_stands_apart_and_goes_again(odd: list[float], wanted: float) -> None:
    parts: list[Any] = []
    high = exact_add(parts, 0.0, 2.5)
    for value in odd:
        assert exact_add(parts, high, value) == high
    assert exact_total(high, parts) == wanted or (isnan(wanted) and isnan(exact_total(high, parts)))
    high = exact_add(parts, high, 0.1)
    for value in odd:
        assert exact_take(parts, high, value) == high
    assert exact_total(high, parts) == 2.6
    high = exact_take(parts, exact_take(parts, high, 2.5), 0.1)
    assert (high, parts) == (0.0, [])


def test_one_of_two_infinities_stays() -> None:
    parts: list[Any] = []
    for value in (inf, inf, -inf):
        exact_add(parts, 1.0, value)
    exact_take(parts, 1.0, -inf)
    exact_take(parts, 1.0, inf)
    assert exact_total(1.0, parts) == inf


def test_beyond_all_floats_and_back() -> None:
    parts: list[Any] = []
    high = 0.0
    for value in (HUGE, HUGE, 1.0):
        high = exact_add(parts, high, value)
    assert exact_total(high, parts) == inf
    high = exact_take(parts, high, HUGE)
    assert exact_total(high, parts) == HUGE
    high = exact_take(parts, high, HUGE)
    assert exact_total(high, parts) == 1.0


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([], 0.0), ([0.1] * 10, 1.0), ([1e16, 1.0, -1e16], 1.0), ([HUGE, HUGE, -HUGE, -HUGE], 0.0),
        ([HUGE, HUGE], inf), ([-HUGE, -HUGE], -inf), ([HUGE, HUGE, -inf], -inf), ([inf, 1.0], inf), ([inf, -inf], nan),
        ([HUGE, HUGE, nan], nan), ([HUGE, HUGE, inf, -inf], nan), ([HUGE, HUGE, -HUGE], HUGE),
    ],
)  # fmt: skip
def test_a_sum_of_all(values: list[float], wanted: float) -> None:
    total = exact_sum(values)
    assert total == wanted or (isnan(total) and isnan(wanted))
