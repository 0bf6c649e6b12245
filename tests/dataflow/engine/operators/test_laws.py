"""The laws of every operator: what comes out depends on the rows that are there, not on the steps by which they came.

- batch = singletons: any split of the changes into steps, in any order, adds up to the same output
- insert, then retract = nothing, to the last byte of state
- no output is ever retracted that is not there, and an operator holds what it has told
- any number of moves of the clock = one move
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.sql.runtime.numbers import NAN
from dataflow.zset import Row
from tests.dataflow.engine.operators.by_hand import (
    History,
    Operators,
    Stay,
    Step,
    at_once,
    counted,
    in_steps,
    leaving,
    one_by_one,
    staying,
)
from tests.dataflow.engine.operators.statements import FILTERS, KEPT, LOG

SECOND = 1_000_000
NOW = 100 * SECOND
LONG = "é" * 300
TEXTS = st.sampled_from([None, "a", "b", "", LONG])
INTS = st.sampled_from([None, -2, 0, 1, 2, 3, 1 << 40])
FLOATS = st.sampled_from([None, NAN, 0.0, -0.0, 0.1, 0.2, 1.0, 1e16, -1e300])
TIMES = st.sampled_from([None, *range(NOW - 12 * SECOND, NOW + 13 * SECOND, 3 * SECOND)])
ROWS = st.tuples(TEXTS, INTS, FLOATS, TIMES)
LAST = 4
"""Changes come at the times 0 to this."""


@st.composite
def stays(draw: st.DrawFn) -> Stay:
    come = draw(st.integers(0, LAST))
    go = draw(st.none() | st.integers(come, LAST))
    return Stay(draw(st.sampled_from("ttu")), draw(ROWS), draw(st.sampled_from([1, 1, 2, 3])), come, go)


HISTORIES = st.lists(stays(), max_size=7)
MOVES = st.dictionaries(st.integers(0, LAST), st.integers(1, 6 * SECOND), max_size=4)
"""By how much the clock moves after the changes of a time."""
quick = settings(max_examples=12, deadline=None)
kept = pytest.mark.parametrize("sql", KEPT.values(), ids=KEPT)
filters = pytest.mark.parametrize("sql", FILTERS.values(), ids=FILTERS)
logged = pytest.mark.parametrize("sql", LOG.values(), ids=LOG)


class Bench:
    """A statement's operators, used again as long as they are found to be as they were at first."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.fresh = Operators(sql, NOW)
        self.states = self.fresh.states()
        self._idle: Operators | None = None

    def output(self, steps: Iterable[Step], history: History) -> dict[Row, int]:
        """What comes out by these steps; after them, all that stays is taken out, and nothing is left."""
        used, self._idle = self._idle or Operators(self.sql, NOW), None
        for step in steps:
            used.step(step)
        output = used.output
        for step in leaving(history):
            used.step(step)
        assert used.output == self.fresh.output
        assert used.states() == self.states
        assert used.size() == self.fresh.size()
        self._idle = used
        return output


BENCHES: dict[str, Bench] = {}


def bench(sql: str) -> Bench:
    return BENCHES.setdefault(sql, Bench(sql)) if sql not in BENCHES else BENCHES[sql]


@kept
@quick
@given(history=HISTORIES, data=st.data())
def test_any_split_in_any_order_adds_up_and_all_taken_out_is_nothing(
    sql: str, history: History, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(history))))
    wanted = bench(sql).output(staying(history), history)
    assert bench(sql).output(in_steps(history), history) == wanted
    assert bench(sql).output(in_steps(history, order=order), history) == wanted
    assert bench(sql).output(at_once(history), history) == wanted
    assert bench(sql).output(one_by_one(history), history) == wanted


@kept
@quick
@given(history=HISTORIES, more=HISTORIES)
def test_what_came_and_went_leaves_the_rest_as_it_was(sql: str, history: History, more: History) -> None:
    """Insert, then retract = nothing, whatever else is there."""
    passing = [stay._replace(come=LAST + 1, go=LAST + 2) for stay in more]
    plain, used = Operators(sql, NOW), Operators(sql, NOW)
    for step in staying(history):
        plain.step(step)
        used.step(step)
    for step in in_steps(passing):
        used.step(step)
    assert used.output == plain.output
    assert used.size() == plain.size()


@kept
@quick
@given(history=HISTORIES)
def test_changes_handed_on_and_rows_asked_for_are_what_is_told(sql: str, history: History) -> None:
    told, passed, asked = Operators(sql, NOW), Operators(sql, NOW, passes=True), Operators(sql, NOW, deaf=True)
    for step in in_steps(history):
        for operators in (told, passed, asked):
            operators.step(step)
        assert passed.output == told.output
    rows = asked.root.rows()
    assert rows is None or counted(rows) == told.output


@filters
@quick
@given(history=HISTORIES, moves=MOVES)
def test_any_number_of_moves_is_one_move(sql: str, history: History, moves: dict[int, int]) -> None:
    now = NOW + sum(moves.values())
    moved, before, after, fresh = Operators(sql, NOW), Operators(sql, NOW), Operators(sql, NOW), Operators(sql, now)
    for time in range(LAST + 1):
        for step in in_steps([stay for stay in history if time in (stay.come, stay.go)], at=time):
            moved.step(step)
        if time in moves:
            moved.advance(moved.now + moves[time])
    before.advance(now)
    for operators in (before, after, fresh):
        for step in staying(history):
            operators.step(step)
    after.advance(now)
    assert moved.output == before.output == after.output == fresh.output
    for step in leaving(history):
        moved.step(step)
    assert moved.output == Operators(sql, now).output
    assert moved.states() == Operators(sql, now).states()
