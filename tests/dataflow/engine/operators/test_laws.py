"""The laws of every operator: what comes out depends on the rows that are there, not on the steps by which they came.

- batch = singletons: any split of the changes into steps, in any order, adds up to the same output
- insert, then retract = nothing, to the last byte of state
- no output is ever retracted that is not there, and an operator holds what it has told
- any number of moves of the clock = one move
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pkgutil import resolve_name, walk_packages
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.engine import operators as room
from dataflow.engine.operators.aggregate import Aggregate, Newest
from dataflow.engine.operators.asof_join import AsOf
from dataflow.engine.operators.join import Join
from dataflow.engine.operators.node import Node
from dataflow.engine.operators.running import Values
from dataflow.engine.operators.sorted import Sorted
from dataflow.engine.operators.temporal_filter import TemporalFilter
from dataflow.engine.operators.top import Top
from dataflow.engine.operators.window import Window
from dataflow.events.entry_time import bring_times
from dataflow.sql.runtime.numbers import NAN
from dataflow.zset import Row
from tests.dataflow.engine.operators.by_hand import (
    History,
    Lot,
    Operators,
    Stay,
    at_once,
    counted,
    in_steps,
    kinds_in,
    one_by_one,
    staying,
)
from tests.dataflow.engine.operators.statements import EVENTS, FILTERS, KEPT, LOG

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
quick = settings(max_examples=8, deadline=None)
quicker = settings(max_examples=4, deadline=None)
kept = pytest.mark.parametrize("sql", KEPT.values(), ids=KEPT)
filters = pytest.mark.parametrize("sql", FILTERS.values(), ids=FILTERS)
logged = pytest.mark.parametrize("sql", LOG.values(), ids=LOG)


IDLE: dict[Any, tuple[list[Any], list[Operators]]] = {}


@contextmanager
def borrowed(sql: str, **kind: bool) -> Iterator[Operators]:
    """Fresh operators. In the end all rows are taken out of them, and then they are fresh again, to the last byte."""
    key = sql, *kind.items()
    if key not in IDLE:
        fresh = Operators(sql, NOW, **kind)
        IDLE[key] = fresh.states(), [fresh]
    states, idle = IDLE[key]
    operators = idle.pop() if idle else Operators(sql, NOW, **kind)
    yield operators
    operators.empty()
    assert operators.states() == states
    idle.append(operators)


@kept
@quick
@given(history=HISTORIES, data=st.data())
def test_any_split_in_any_order_adds_up_and_all_taken_out_is_nothing(
    sql: str, history: History, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(history))))
    with borrowed(sql) as whole:
        wanted = whole.play(staying(history)).output
    for steps in (in_steps(history), in_steps(history, order=order), at_once(history), one_by_one(history)):
        with borrowed(sql) as parts:
            assert parts.play(steps).output == wanted


@kept
@quicker
@given(history=HISTORIES, more=HISTORIES)
def test_what_came_and_went_leaves_the_rest_as_it_was(sql: str, history: History, more: History) -> None:
    passing = [stay._replace(come=0, go=1) for stay in more]
    with borrowed(sql) as operators:
        operators.play(staying(history))
        output, size = operators.output, operators.size()
        operators.play(in_steps(passing))
        assert (operators.output, operators.size()) == (output, size)


@kept
@quicker
@given(history=HISTORIES)
def test_changes_handed_on_and_rows_asked_for_are_what_is_told(sql: str, history: History) -> None:
    with borrowed(sql) as told, borrowed(sql, passes=True) as passed, borrowed(sql, deaf=True) as asked:
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
    states = fresh.states()
    for time in range(LAST + 1):
        moved.play(in_steps(history, at=time))
        if time in moves:
            moved.advance(moved.now + moves[time])
    before.advance(now)
    for operators in (before, after, fresh):
        operators.play(staying(history))
    after.advance(now)
    assert moved.output == before.output == after.output == fresh.output
    for operators in (moved, before, after, fresh):
        operators.empty()
        assert operators.states() == states


# over the log


@st.composite
def logs(draw: st.DrawFn) -> list[Row]:
    """Rows of the log, in order of position."""
    values = draw(st.lists(st.tuples(TIMES, TEXTS, INTS, st.sampled_from([None, 0.5, -1.0, 2.0])), max_size=9))
    return [(at, False, "made", time or NOW, *row, time) for at, (time, *row) in enumerate(values, 1)]


LOGS = logs()
TIME = list(EVENTS).index("time")


def pending(rows: Sequence[Row], made: int | None) -> list[Row]:
    """The rows as entries bring them; `made`: at a time by this desk's clock."""
    brought = [(row[0], True, *row[2:]) for row in rows]
    return brought if made is None else [bring_times(row, [TIME], made) for row in brought]


@logged
@quick
@given(rows=LOGS, held=LOGS, cuts=st.sets(st.integers(0, 9)), made=st.none() | st.integers(NOW - SECOND, NOW + SECOND))
def test_pending_rows_that_go_again_leave_nothing(
    sql: str, rows: list[Row], held: list[Row], cuts: set[int], made: int | None
) -> None:
    """Nor does it matter into which batches the log falls."""
    waiting = pending(held, made)
    plain, cut, used = Operators(sql, NOW), Operators(sql, NOW), Operators(sql, NOW)
    plain.step({"events": Lot(rows)})
    edges = sorted({0, *cuts, len(rows)})
    for start, end in pairwise(edges):
        cut.step({"events": Lot(rows[start:end])})
    used.step({"events": Lot(held=waiting)})
    for at, row in enumerate(rows):
        used.step({"events": Lot([row], released=waiting[at : at + 1])})
    used.step({"events": Lot(released=waiting[len(rows) :])})
    assert cut.output == plain.output == used.output
    if not rows or not any(isinstance(node, Top | TemporalFilter) for node in plain.nodes.values()):
        assert used.states() == plain.states()


@logged
@quick
@given(
    rows=LOGS, held=LOGS, moves=st.lists(st.integers(1, 6 * SECOND), max_size=3), made=st.integers(NOW, NOW + SECOND)
)
def test_moves_with_pending_rows_are_one_move(
    sql: str, rows: list[Row], held: list[Row], moves: list[int], made: int
) -> None:
    waiting, now = pending(held, made), NOW + max(sum(moves), 2 * SECOND)
    moved, once = Operators(sql, NOW), Operators(sql, NOW)
    moved.step({"events": Lot(rows, waiting)})
    for by in moves:
        moved.advance(moved.now + by)
    moved.advance(now)
    once.advance(now)
    once.step({"events": Lot(rows, waiting)})
    assert moved.output == once.output
    for operators in (moved, once):
        operators.step({"events": Lot(released=waiting)})
    assert moved.output == once.output


@logged
@quick
@given(rows=LOGS)
def test_what_history_feeds_in_chunks_is_what_came(sql: str, rows: list[Row]) -> None:
    """Aggregates that are `deferred` tell at the end."""
    plain, fed = Operators(sql, NOW), Operators(sql, NOW)
    fed.defer(True)
    for row in rows:
        plain.step({"events": Lot([row])})
        fed.step({"events": Lot([row])})
    fed.defer(False)
    fed.step({})
    assert fed.output == plain.output


# all of them

KEEPING = Join, AsOf, Top, Window, Aggregate
"""The operators that know the rows that have come out of them."""


def test_every_operator_is_in_the_suite() -> None:
    """Each class of the room that keeps something stands in the state of one of the statements."""
    modules = [resolve_name(module.name) for module in walk_packages(room.__path__, room.__name__ + ".")]
    kinds = {kind for module in modules for kind in vars(module).values() if inspect.isclass(kind)}
    own = {kind for kind in kinds if kind.__module__.startswith(room.__name__) and "__init__" in vars(kind)}
    own = {kind for kind in own if not getattr(kind, "_is_protocol", False)}
    filled = [Operators(sql, NOW) for sql in (*KEPT.values(), *LOG.values())]
    lot = Lot([(1, False, "made", NOW, "a", 1, 0.5, NOW)])
    row = "a", 1, 0.5, NOW
    for operators in filled:
        operators.play([{"t": Lot([row]), "u": Lot([row]), "events": lot}])
    reached = {kind for operators in filled for node in operators.nodes.values() for kind in kinds_in(node)}
    assert own - reached == {Node, Values, Newest, Sorted}
    keeping = [node for operators in filled for node in operators.nodes.values() if isinstance(node, KEEPING)]
    assert all(node.rows() is not None for node in keeping)
