"""Statistics of counted values against the plain lists that they stand for."""

from __future__ import annotations

import statistics as plain
from collections import Counter
from functools import reduce
from math import inf, isnan, nan, prod
from operator import and_, or_, xor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.sql.runtime import statistics
from dataflow.sql.runtime.limits import LONGEST_TEXT
from dataflow.sql.runtime.numbers import NAN

FLOATS = st.lists(st.sampled_from([-2.5, -1.0, 0.0, 0.5, 1.0, 3.0, 8.0]), min_size=1, max_size=9)
WHOLE = st.lists(st.integers(-9, 9), min_size=1, max_size=9)
PARTS = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0])
quick = settings(max_examples=60, deadline=None)


@quick
@given(values=FLOATS, part=PARTS)
def test_quantiles(values: list[float], part: float) -> None:
    ranked, counts = sorted(values), Counter(values)
    at = part * (len(ranked) - 1)
    low, high = ranked[int(at)], ranked[min(int(at) + 1, len(ranked) - 1)]
    assert statistics.quantile(counts, part) == pytest.approx(low + (high - low) * (at - int(at)))
    least = next(at for at in range(1, len(ranked) + 1) if at >= len(ranked) * part)
    assert statistics.quantile_disc(counts, part, False) == ranked[least - 1]
    assert statistics.quantile_disc(counts, part, True) == ranked[len(ranked) - least]


@quick
@given(values=FLOATS)
def test_variances(values: list[float]) -> None:
    counts = Counter(values)
    assert statistics.variance(counts, 0) == pytest.approx(plain.pvariance(values))
    assert statistics.deviation(counts, 0) == pytest.approx(plain.pstdev(values))
    if len(values) > 1:
        assert statistics.variance(counts, 1) == pytest.approx(plain.variance(values))
        assert statistics.deviation(counts, 1) == pytest.approx(plain.stdev(values))


@quick
@given(values=WHOLE)
def test_products_bits_and_the_most_frequent(values: list[int]) -> None:
    counts = Counter(values)
    assert statistics.product(counts) == pytest.approx(float(prod(values)))
    assert statistics.all_bits(counts) == reduce(and_, values)
    assert statistics.any_bits(counts) == reduce(or_, values)
    assert statistics.odd_bits(counts) == reduce(xor, values)
    assert statistics.odd_bits_once(counts) == reduce(xor, {*values})
    assert statistics.most_frequent(counts) == min(plain.multimode(values))


def test_texts_in_the_order_of_their_keys_as_often_as_they_are_there() -> None:
    texts = {(2, "b"): 2, (1, "c"): 1, (1, "a"): 1}
    assert statistics.joined(texts, ", ") == "a, c, b, b"
    assert statistics.joined_once(texts, ", ") == "a, c, b"
    assert statistics.listed(texts) == "[a,c,b,b]"
    assert statistics.listed_once(texts) == "[a,c,b]"


def test_a_text_too_long_is_null() -> None:
    half = "x" * (LONGEST_TEXT // 2)
    assert statistics.joined({(1, half): 2}, "") == half + half
    for texts, between in (({(1, half): 2}, ","), ({(1, half): 3}, ""), ({(1, half): 2, (2, "y"): 1}, "")):
        assert statistics.joined(texts, between) is None
    assert statistics.joined_once({(1, half): 3}, "") == half
    assert statistics.listed({(1, half): 3}) is None
    assert statistics.listed({(1, half): 1}) == f"[{half}]"


NOTHING: list[tuple[Any, ...]] = [
    (statistics.quantile, 0.5), (statistics.variance, 0), (statistics.variance, 1), (statistics.deviation, 1),
    (statistics.joined, ","), (statistics.listed,), (statistics.quantile_disc, 0.5, False), (statistics.most_frequent,),
    (statistics.product,), (statistics.all_bits,), (statistics.any_bits,), (statistics.odd_bits,),
    (statistics.odd_bits_once,), (statistics.joined_once, ","), (statistics.listed_once,),
]  # fmt: skip


@pytest.mark.parametrize("call", NOTHING, ids=lambda call: call[0].__name__)
def test_of_nothing_there_is_none(call: tuple[Any, ...]) -> None:
    assert call[0]({}, *call[1:]) is None


def test_one_value_varies_by_nothing_or_not_at_all() -> None:
    assert (statistics.variance({5.0: 1}, 0), statistics.variance({5.0: 1}, 1)) == (0.0, None)
    assert statistics.variance({0.1: 7}, 1) == 0.0
    assert statistics.variance({inf: 1}, 0) == 0.0


def test_nan_is_above_all_and_infinities_have_no_variance() -> None:
    assert statistics.quantile_disc({NAN: 1, 1.0: 1, inf: 1}, 1.0, False) is NAN
    assert statistics.quantile({NAN: 1, 1.0: 1, 2.0: 1}, 0.5) == 2.0
    assert statistics.most_frequent({NAN: 1, 1.0: 1}) == 1.0
    for values in ({inf: 1, 1.0: 1}, {NAN: 1, 1.0: 1}, {inf: 2}):
        variance, deviation = statistics.variance(values, 1), statistics.deviation(values, 1)
        assert isnan(variance or 0.0)
        assert isnan(deviation or 0.0)


def test_products_beyond_all_floats() -> None:
    assert statistics.product({1e200: 2}) == inf
    assert statistics.product({-1e200: 3}) == -inf
    assert statistics.product({-1e200: 2}) == inf
    assert isnan(statistics.product({0.0: 1, inf: 1}) or 0.0)
    assert statistics.product({0.0: 2, 1e200: 1}) == 0.0
    assert isnan(statistics.product({nan: 1}) or 0.0)


def test_squares_beyond_all_floats() -> None:
    assert statistics.variance({1e200: 1, -1e200: 1}, 1) == inf
    assert statistics.deviation({1e200: 2, -1e200: 2}, 0) == inf
