"""One push, one step: also where a query must be built anew, or cannot be."""

from __future__ import annotations

from collections import Counter

import pytest

from dataflow.engine.engine import Engine, LiveQuery, NeedsHistory
from dataflow.zset import Row

EVENTS = {"position": "int", "n": "int", "pending": "bool"}
GATES = {"gate": "text", "n": "int"}
FOLDED = "SELECT max(n) AS n, bool_or(pending) AS pending FROM events"
LOG = [(1, 10, False), (2, 30, False)]
WAITS = (1 << 60, 20, True)


def make() -> Engine:
    return Engine({"events": EVENTS}, {"gates": (GATES, [("A1", 10)])})


def shown(engine: Engine, sql: str) -> list[Row]:
    """What a fresh query shows, of the log as it is."""
    live = engine.live(sql, lambda: [LOG])
    try:
        return list(live.rows())
    finally:
        live.close()


class TestNeedsHistory:
    """A push is refused, and nothing has changed, where a query would have to be built anew without history."""

    def test_a_row_of_a_table_is_still_there_and_may_go_later(self):
        engine = make()
        live = engine.live("SELECT gate, n FROM events JOIN gates USING (n)")
        engine.push("events", LOG)
        with pytest.raises(NeedsHistory):
            engine.push("gates", [("A1", 10), ("B2", 30)], [-1, 1])
        assert list(live.rows()) == [("A1", 10)]
        assert shown(engine, "SELECT gate FROM gates") == [("A1",)]
        assert shown(engine, "SELECT gate, n FROM events JOIN gates USING (n)") == [("A1", 10)]
        live.close()
        engine.push("gates", [("A1", 10), ("B2", 30)], [-1, 1])
        assert shown(engine, "SELECT gate FROM gates") == [("B2",)]
        with pytest.raises(ValueError, match="not there"):
            engine.push("gates", [("A1", 10)], [-1])

    def test_a_table_of_a_log_that_has_not_begun_may_change(self):
        engine = make()
        live = engine.live("SELECT gate, n FROM events JOIN gates USING (n)")
        engine.push("gates", [("A1", 10), ("B2", 30)], [-1, 1])
        engine.push("events", LOG)
        assert list(live.rows()) == [("B2", 30)]

    def test_a_push_into_the_log_leaves_no_pending_row_and_no_position(self):
        engine = make()
        live = engine.live(FOLDED)
        engine.push("events", LOG)
        with pytest.raises(NeedsHistory):
            engine.push("events", [LOG[1], WAITS, (3, 99, False)], [-1, 1, 1])
        assert engine.pending == {}
        assert list(live.rows()) == [(30, False)]
        assert shown(engine, FOLDED) == [(30, False)]
        with pytest.raises(ValueError, match="not there"):
            engine.push("events", [WAITS], [-1])
        late = engine.live("SELECT count(*) FROM events", lambda: [[*LOG, (3, 99, False)]])
        assert list(late.rows()) == [(2,)], "history is read up to the last position that was pushed"

    def test_a_job_under_way_does_not_take_it_up(self):
        engine = make()
        live = engine.live(FOLDED)
        engine.push("events", LOG)
        late = engine.live("SELECT n FROM events", lambda: [LOG[:1], LOG[1:]], sliced=True)
        engine.work()
        with pytest.raises(NeedsHistory):
            engine.push("events", [LOG[1]], [-1])
        while engine.work():
            pass
        assert sorted(late.rows()) == [(10,), (30,)]
        assert list(live.rows()) == [(30, False)]

    def test_what_was_laid_out_does_not_come_with_the_next_push(self):
        engine = make()
        live = engine.live("SELECT gate, count(*) AS c FROM events JOIN gates USING (n) GROUP BY gate")
        other = engine.live("SELECT gate FROM gates")
        engine.push("events", LOG)
        with pytest.raises(NeedsHistory):
            engine.push("gates", [("B2", 30)])
        live.close()
        late = engine.live("SELECT n FROM gates")
        engine.push("gates", [("C3", 5)])
        assert sorted(other.rows()) == [("A1",), ("C3",)]
        assert sorted(late.rows()) == [(5,), (10,)]


def follow(live: LiveQuery) -> Counter[Row]:
    rows: Counter[Row] = Counter()
    live.changes.subscribe(lambda changes: rows.update(dict(changes)))
    return rows


def test_queries_beside_one_that_is_built_anew_take_the_step_at_once():
    engine, log = make(), list(LOG)
    stale = engine.live(FOLDED, lambda: [list(log)], sliced=True)
    sound = engine.live("SELECT count(*), sum(n) FROM events", lambda: [list(log)])
    tally = follow(sound)
    engine.push("events", LOG)
    while engine.work():
        pass
    log.remove(LOG[1])
    engine.push("events", [LOG[1], WAITS], [-1, 1])
    assert not stale.ready
    assert +tally == {(2, 30): 1}
    assert list(stale.rows()) == [(30, True)], "it shows what it had, and what has been entered"
    while engine.work():
        pass
    assert stale.ready
    assert list(stale.rows()) == [(20, True)]
    assert engine.pending == {WAITS: 1}


def test_a_row_of_a_table_that_goes_while_the_query_is_built_anew_is_gone_then():
    engine = make()
    sql = "SELECT gate, count(*) AS c FROM events JOIN gates USING (n) GROUP BY gate"
    live = engine.live(sql, lambda: [LOG], sliced=True)
    engine.push("events", LOG)
    while engine.work():
        pass
    engine.push("gates", [("B2", 30)])
    engine.work()
    engine.push("gates", [("A1", 10)], [-1])
    while engine.work():
        pass
    assert list(live.rows()) == shown(engine, sql) == [("B2", 1)]


def test_a_query_that_begins_to_read_within_a_push_gets_what_comes_after():
    """A subscriber that works itself: the next push must not go past the job."""
    engine = make()
    lives: list[LiveQuery] = []
    log = [(at, at, False) for at in range(1, 7)]

    def begin(_: object) -> None:
        if engine.stats() and not lives and len(seen) == 2:
            lives.append(engine.live("SELECT count(*), sum(n) FROM events", lambda: [log[:2], log[2:]], sliced=True))
            engine.work()

    seen: list[object] = []
    first = engine.live("SELECT max(n) AS m FROM events")
    first.changes.subscribe(seen.append)
    first.changes.subscribe(begin)
    for row in log:
        engine.push("events", [row])
    while engine.work():
        pass
    assert list(lives[0].rows()) == [(6, 21)]
