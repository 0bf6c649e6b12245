"""Sorted rows: the splices bring a copy up to date, however many changes come at once."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.engine.operators.sorted import FEW, Sorted, difference
from dataflow.zset import Row, Splice, apply_splices

ROWS = st.lists(st.tuples(st.integers(0, 9), st.sampled_from("ab")), max_size=12)


def identity(row: Row) -> Row:
    return row


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.tuples(ROWS, ROWS), max_size=6), size=st.sampled_from([1, 40]))
def test_splices_bring_a_copy_up_to_date(steps: list[tuple[list[Row], list[Row]]], size: int) -> None:
    """`size`: 40 times as many rows are merged, not put in one by one."""
    ordered, copy, counts = Sorted(identity), list[Row](), Counter[Row]()
    for come, go in steps:
        plus = [row for row in come for _ in range(size)]
        minus = [*((counts - (counts - Counter(go * size))) - Counter(plus)).elements()]
        plus = [row for row in plus if row not in minus]
        splices = ordered.change(plus, minus)
        counts.update(plus)
        counts.subtract(minus)
        apply_splices(copy, splices)
        assert copy == ordered.rows == sorted(counts.elements())
        assert ordered.keys == [identity(row) for row in ordered.rows]


def test_a_row_in_the_place_of_another_is_one_splice() -> None:
    ordered = Sorted(identity)
    ordered.change([(1,), (3,), (5,)], [])
    assert ordered.change([(4,)], [(3,)]) == [Splice(1, 1, ((4,),))]
    assert ordered.change([(9,)], [(1,)]) == [Splice(0, 1, ()), Splice(2, 0, ((9,),))]
    assert ordered.change([(6,), (7,)], [(5,)]) == [Splice(1, 1, ((6,),)), Splice(2, 0, ((7,),))]
    assert ordered.change([], [(4,), (9,)]) == [Splice(0, 1, ()), Splice(2, 1, ())]
    assert ordered.rows == [(6,), (7,)]


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("", "", []), ("abc", "abc", []), ("", "ab", [(0, 0, "ab")]), ("ab", "", [(0, 2, "")]),
        ("abc", "abxc", [(2, 0, "x")]), ("abxc", "abc", [(2, 1, "")]), ("aba", "a", [(1, 2, "")]),
        ("a", "aa", [(1, 0, "a")]), ("abcd", "axyd", [(1, 2, "xy")]),
    ],
)  # fmt: skip
def test_the_difference_is_one_splice_between_the_common_ends(
    old: str, new: str, wanted: list[tuple[int, int, str]]
) -> None:
    splices = difference([(each,) for each in old], [(each,) for each in new])
    assert [(at, gone, "".join(row[0] for row in rows)) for at, gone, rows in splices] == wanted


def test_few_changes_are_told_one_by_one_many_as_one() -> None:
    ordered = Sorted(identity)
    assert len(ordered.change([(at,) for at in range(FEW)], [])) == FEW
    assert len(ordered.change([(at + 0.5,) for at in range(FEW + 1)], [])) == 1
    assert ordered.rows == sorted(ordered.rows)
    assert ordered.change([], []) == []
