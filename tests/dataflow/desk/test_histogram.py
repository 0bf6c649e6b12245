"""Histograms: percentiles within the bound that is promised, of any values."""

from __future__ import annotations

import math

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from dataflow.desk.histogram import ERROR, LEAST_MS, MOST_MS, Histogram

TIMES = st.lists(st.floats(LEAST_MS, MOST_MS), min_size=1, max_size=300)


def filled(times) -> Histogram:
    histogram = Histogram()
    for time in times:
        histogram.add(time)
    return histogram


def exact(times, share: float) -> float:
    """By nearest rank."""
    return sorted(times)[max(1, math.ceil(share * len(times))) - 1]


@given(TIMES, st.floats(0, 1))
@example([10.0, 10.0, 100.0], 0.5)
@example([LEAST_MS], 0.5)
@example([MOST_MS, MOST_MS], 0.5)
def test_a_percentile_is_within_the_bound_of_the_exact_one(times, share):
    told, true = filled(times).percentile(share), exact(times, share)
    assert abs(told - true) <= true * ERROR * (1 + 1e-9)
    assert ERROR < 0.03


@given(TIMES)
def test_the_largest_is_exact_and_percentiles_rise(times):
    histogram = filled(times)
    assert histogram.percentile(1) == histogram.most == max(times)
    told = [histogram.percentile(share / 20) for share in range(21)]
    assert told == sorted(told)


@given(st.lists(st.floats(0, 1e12), max_size=300))
def test_whatever_comes_is_counted_once_in_a_bounded_number_of_buckets(times):
    histogram = filled(times)
    assert histogram.count == len(times) == sum(histogram.counts.values())
    assert all(-80 <= at <= 280 for at in histogram.counts)


@given(TIMES)
def test_bars_hold_all_and_each_what_lies_within_it(times):
    bars = list(filled(times).bars(10))
    assert sum(count for _, count in bars) == len(times)
    for at, count in bars:
        low, high = 10 ** (at / 10), 10 ** ((at + 1) / 10)
        inside = sum(low * (1 + 1e-9) < time < high * (1 - 1e-9) for time in times)
        near = sum(low * (1 - 1e-9) <= time <= high * (1 + 1e-9) for time in times)
        assert inside <= count <= near


def test_an_empty_one_has_no_percentiles_and_all_survive_being_kept():
    assert Histogram().percentile(0.99) == 0
    histogram = filled([0.0, 1.0, 12.5, 1e9])
    assert msgspec.json.decode(msgspec.json.encode(histogram), type=Histogram) == histogram
