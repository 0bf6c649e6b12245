"""A sorted multiset against a sorted list."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.sql.runtime.multiset import Multiset
from dataflow.sql.runtime.numbers import NAN


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=25))
def test_the_least_and_the_greatest_of_what_is_there(steps: list[tuple[bool, int]]) -> None:
    values, there = Multiset(), list[int]()
    for come, value in steps:
        if come:
            values.add(value)
            there.append(value)
        elif value in there:
            values.remove(value)
            there.remove(value)
        assert (values.first(), values.last()) == (min(there, default=None), max(there, default=None))
        assert values.values == sorted({*there})
        assert values.counts == {each: there.count(each) for each in there}


def test_nan_is_found_again_among_others_and_its_own() -> None:
    values = Multiset()
    for value in ((True, NAN), (False, 1.0), (True, NAN), (False, -1.0)):
        values.add(value)
    assert (values.first(), values.last()) == ((False, -1.0), (True, NAN))
    values.remove((True, NAN))
    assert values.last() == (True, NAN)
    values.remove((True, NAN))
    assert values.last() == (False, 1.0)
    values.remove((False, 1.0))
    values.remove((False, -1.0))
    assert (values.values, values.counts, values.first(), values.last()) == ([], {}, None, None)


def test_values_that_are_equal_but_not_ordered_by_it_are_found() -> None:
    """A NaN below a value in a tuple orders neither way: it is looked for one by one."""
    values = Multiset()
    for value in ((NAN, 1), (NAN, 2), (0.0, 3)):
        values.add(value)
    for value in ((0.0, 3), (NAN, 1), (NAN, 2)):
        values.remove(value)
    assert (values.values, values.counts) == ([], {})
