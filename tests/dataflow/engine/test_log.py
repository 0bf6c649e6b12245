"""The log as a relation: its columns, its last position, a push parted."""

from __future__ import annotations

import pytest

from dataflow.engine.log import Log
from dataflow.engine.push import Push

COLUMNS = {"position": "int", "type": "text", "pending": "bool"}
ONE, TWO, WAITS, ALSO = (1, "a", False), (2, "b", False), (9, "a", True), (9, "b", True)


def test_it_knows_its_columns():
    log = Log({"id": "text", **COLUMNS})
    assert (log.position_at, log.type_at, log.pending_at) == (1, 2, 3)
    bare = Log({"id": "text"})
    assert (bare.position_at, bare.type_at, bare.pending_at) == (-1, 0, -1)


@pytest.mark.parametrize(("columns", "plain"), [
    (COLUMNS, True), ({**COLUMNS, "data": "json"}, False), ({"position": "int"}, False), ({"pending": "bool"}, False),
    ({}, False),
])  # fmt: skip
def test_rows_are_plain_where_they_have_all_and_nothing_to_be_converted(columns, plain):
    assert Log(columns).is_plain == plain


def test_its_position_only_rises():
    log = Log(COLUMNS)
    assert (log.begun, log.position) == (False, 0)
    for rows, position in (([ONE, TWO], 2), ([ONE], 2), ([(7, "a", False)], 7)):
        log.rise(rows)
        assert (log.begun, log.position) == (True, position)


def test_a_log_without_positions_begins_and_stays_at_none():
    log = Log({"n": "int"})
    log.rise([(5,)])
    assert (log.begun, log.position) == (True, 0)
    assert log.cut([(5,), (6,)], 0) == [(5,), (6,)]


def test_history_is_cut_after_a_position():
    log = Log(COLUMNS)
    assert log.cut([ONE, TWO], 1) == [ONE]
    assert log.cut([ONE, TWO], 2) == [ONE, TWO]
    assert log.cut([TWO], 1) == []
    assert log.cut([], 1) == []


@pytest.mark.parametrize(("rows", "weights", "parts"), [
    ([ONE, TWO], None, ([ONE, TWO], [], [], ())),
    ([ONE, WAITS], None, ([ONE], [WAITS], [], ())),
    ([ONE, TWO], [-1, 2], ([TWO, TWO], [], [], [ONE])),
    ([WAITS, ALSO, ONE], [-1, 1, 1], ([ONE], [ALSO], [WAITS], [])),
    ([WAITS, ONE, TWO], [-2, -1, 0], ([], [], [WAITS, WAITS], [ONE])),
])  # fmt: skip
def test_a_push_is_parted_into_pending_and_confirmed_come_and_gone(rows, weights, parts):
    push = Log(COLUMNS).split(rows, weights)
    assert push.relation == "events"
    assert [list(part) for part in push[1:]] == [list(part) for part in parts]


def test_without_pending_rows_all_are_confirmed():
    push = Log({"n": "int"}).split([(1,), (0,)], [1, -1])
    assert push == Push("events", [(1,)], retracted=[(0,)])


def test_each_row_needs_its_weight():
    with pytest.raises(ValueError, match="zip"):
        Log(COLUMNS).split([ONE, TWO], [1])
