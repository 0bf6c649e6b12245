"""The stores of a temporal filter against a count of rows by time."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.engine.operators.future_rows import CHUNK, ChangingRows, FutureRows, LoggedRows, Queue
from dataflow.zset import Row

STORES = {"logged": lambda: LoggedRows(0), "changing": ChangingRows}
TIMES = st.integers(0, 6)
ROWS = st.tuples(TIMES, st.sampled_from("ab"))
stores = pytest.mark.parametrize("store", STORES.values(), ids=STORES)


@stores
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_was_added_and_not_removed_comes_out_when_its_time_has_passed(store: type, data: st.DataObject) -> None:
    rows: FutureRows = store()
    counts: Counter[Row] = Counter()
    limit = 0
    for _ in range(data.draw(st.integers(0, 12))):
        match data.draw(st.sampled_from(["add", "add", "extend", "remove", "remove", "pass"])):
            case "add":
                time, name = data.draw(ROWS)
                row = time + limit, name
                rows.add(row, row[0])
                counts[row] += 1
            case "extend":
                many = data.draw(st.lists(ROWS, min_size=1, max_size=4))
                if rows.extend(many, limit):
                    assert many == sorted(many, key=lambda row: row[0])
                    assert many[0][0] >= limit
                    counts.update(many)
            case "remove" if +counts:
                row = data.draw(st.sampled_from(sorted(+counts)))
                rows.remove(row, row[0])
                counts[row] -= 1
            case "pass":
                limit += data.draw(st.integers(0, 3))
                passed = Counter({row: count for row, count in counts.items() if row[0] < limit and count})
                assert Counter(rows.before(limit)) == passed
                counts -= passed
                assert not rows.due(limit)
        assert Counter(rows) == +counts
        assert rows.due(limit + 100) or not +counts
        assert len(rows) <= 2 * counts.total() or not counts.total()
    for row in list((+counts).elements()):
        rows.remove(row, row[0])
    assert ([*rows], len(rows)) == ([], 0)
    assert not any(map(bool, rows.state() if isinstance(rows, ChangingRows) else [rows.late, rows.gone, [*rows.queue]]))


@stores
def test_two_equal_rows_that_were_retracted_do_not_come_out_once_more(store: type) -> None:
    rows: FutureRows = store()
    for time in (1, 1, 1, 1, 1, 5):
        rows.add((time, "a"), time)
    rows.remove((1, "a"), 1)
    rows.remove((1, "a"), 1)
    assert [*rows] == [(1, "a")] * 3 + [(5, "a")]
    assert rows.before(3) == [(1, "a")] * 3
    assert rows.before(9) == [(5, "a")]
    assert len(rows) == 0


def test_rows_come_in_bulk_only_in_order_after_all_others_and_after_the_limit() -> None:
    rows = LoggedRows(0)
    rows.add((5,), 5)
    refused = [[(4,)], [(5,), (9,), (8,)], [(6,), (None,)]]
    assert [rows.extend(many, 0) for many in refused] == [False, False, False]
    assert not rows.extend([(6,)], 7)
    assert rows.extend([(5,), (5,), (7,)], 5)
    assert [*rows] == [(5,), (5,), (5,), (7,)]
    assert ChangingRows().extend([(5,)], 0) is False


@pytest.mark.parametrize("extended", [False, True])
def test_a_queue_of_many_chunks(extended: bool) -> None:
    rows = [(at // 2,) for at in range(3 * CHUNK + 10)]
    queue = Queue(0)
    if extended:
        for at in range(0, len(rows), 100):
            queue.extend(rows[at : at + 100])
    else:
        for row in rows:
            queue.append(row, row[0])
    assert (queue.first, queue.last, len(queue)) == (0, rows[-1][0], len(rows))
    taken = queue.before(1)
    for limit in (2, CHUNK // 2, CHUNK, CHUNK + 7):
        taken += queue.before(limit) if queue.first < limit else []
        assert taken == [row for row in rows if row[0] < limit]
        assert [*queue] == rows[len(taken) :]
        assert (queue.first, len(queue)) == (rows[len(taken)][0], len(rows) - len(taken))
    assert taken + queue.before(rows[-1][0] + 1) == rows
    empty = Queue(0)
    assert (queue.first, queue.last, queue.room, [*queue]) == (empty.first, empty.last, empty.room, [])
    queue.append((9,), 9)
    assert (queue.first, queue.last, [*queue]) == (9, 9, [(9,)])


def test_late_rows_stand_beside_the_queue() -> None:
    rows = LoggedRows(0)
    for time in (5, 3, 4, 3, 6):
        rows.add((time,), time)
    assert (len(rows), rows.due(3), rows.due(4)) == (5, False, True)
    assert rows.before(4) == [(3,), (3,)]
    assert rows.before(6) == [(5,), (4,)]
    assert [*rows] == [(6,)]
