"""The row store against a plain list, over any splices."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dataflow.zset import Row, Splice, apply_splices
from gui.models.rows import Change, Insert, Remove, RowStore, runs

ROWS = st.tuples(st.integers(0, 3), st.integers(0, 2))


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Row], list[list[Splice]]]:
    """A list of rows, and batches of splices that fit it."""
    start = draw(st.lists(ROWS, max_size=12))
    length, batches = len(start), []
    for _ in range(draw(st.integers(1, 4))):
        batch = []
        for _ in range(draw(st.integers(0, 5))):
            index = draw(st.integers(0, length))
            removed = draw(st.integers(0, length - index))
            added = tuple(draw(st.lists(ROWS, max_size=5)))
            batch.append(Splice(index, removed, added))
            length += len(added) - removed
        batches.append(batch)
    return start, batches


@given(histories(), st.sampled_from([0, 2, 64]))
def test_edits_do_what_splices_do(history: tuple[list[Row], list[list[Splice]]], most: int) -> None:
    start, batches = history
    store, reference = RowStore(), list(start)
    store.rows[:] = start
    for batch in batches:
        for edit in store.plan(batch, most=most):
            size = len(store)
            match edit:
                case Change(first, rows):
                    assert rows
                    assert first + len(rows) <= size
                case Insert(first, rows):
                    assert rows
                    assert first <= size
                case Remove(first, gone):
                    assert gone > 0
                    assert first + gone <= size
            store.apply(edit)
        apply_splices(reference, batch)
        assert store.rows == reference


def test_as_many_rows_again_are_a_change() -> None:
    store = RowStore()
    store.rows[:] = [(1, "a"), (2, "b"), (3, "c")]
    edits = list(store.plan([Splice(0, 3, ((1, "a"), (2, "B"), (3, "c")))]))
    assert edits == [Change(1, ((2, "B"),))]


def test_rows_that_stay_at_either_end_are_not_touched() -> None:
    store = RowStore()
    store.rows[:] = [(at,) for at in range(5)]
    assert list(store.plan([Splice(0, 5, ((0,), (1,), (9,), (2,), (3,), (4,)))])) == [Insert(2, ((9,),))]
    assert list(store.plan([Splice(0, 5, ((0,), (4,)))])) == [Remove(1, 3)]


def test_runs_of_places() -> None:
    assert list(runs([1, 2, 3, 7, 9, 10])) == [(1, 3), (7, 7), (9, 10)]
    assert list(runs([])) == []


def test_the_nearest_of_equals_is_found() -> None:
    store = RowStore()
    store.rows[:] = [("a", 1), ("b", 2), ("a", 3), ("a", 4)]
    assert store.find({3: "a", 9: "a", 2: "b", 0: "c"}, lambda row: row[0]) == {3: 3, 9: 3, 2: 1}
    assert store.holds({0: "a", 3: "a"}, lambda row: row[0])
    assert not store.holds({4: "a"}, lambda row: row[0])
