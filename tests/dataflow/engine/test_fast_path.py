"""The shortest ways give what the ordinary ones give: the engine told as changes alone, beside one that is not."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.engine.engine import Engine
from dataflow.zset import Row

SECOND = 1_000_000
EVENTS = {
    "position": "int", "id": "text", "type": "text", "time": "timestamp", "pending": "bool",
    "carrier": "text", "delay": "float", "n": "int", "due": "timestamp",
}  # fmt: skip
AIRLINES = [("AA", "American"), ("UA", "United"), ("DL", "United")]
RECENT = "time > now() - INTERVAL '5 seconds'"
QUERIES = {
    "all cells": "SELECT carrier, count(*), sum(delay), max(n), latest(n), earliest(delay) FROM events GROUP BY 1",
    "no count": "SELECT carrier, max(delay), latest(n), min(n) FROM events GROUP BY carrier",
    "distinct": "SELECT DISTINCT carrier, n FROM events",
    "having": "SELECT carrier, count(*) AS c FROM events GROUP BY carrier HAVING count(*) > 2 AND count(*) < 9",
    "filtered": "SELECT n, count(*) FILTER (delay > 3), latest(delay) FROM events WHERE carrier <> 'UA' GROUP BY n",
    "grand": "SELECT count(*), avg(delay), latest(carrier), bool_or(pending) FROM events WHERE n > 0",
    "joined": "SELECT name, count(*), sum(n) FROM events JOIN airlines USING (carrier) GROUP BY name",
    "recent": f"SELECT carrier, count(*), avg(delay), max(n) FROM events WHERE {RECENT} GROUP BY carrier",
    "recent and filtered": f"SELECT n + 1 AS m, sum(delay) FROM events WHERE delay <> 0 AND {RECENT} GROUP BY n + 1",
    "recent, none": f"SELECT count(*), min(delay), count(DISTINCT carrier) FROM events WHERE {RECENT}",
    "recent, some": f"SELECT carrier, count(*) FROM events WHERE {RECENT} GROUP BY carrier HAVING count(*) > 1",
    "from now on": "SELECT carrier, count(*), sum(n) FROM events WHERE due >= now() GROUP BY carrier",
    "until now": "SELECT carrier, count(*) FROM events WHERE due < now() GROUP BY carrier",
    "both": f"SELECT carrier, count(*), latest(n) FROM events WHERE {RECENT} AND due < now() GROUP BY carrier",
}

VALUES = st.tuples(
    st.sampled_from(["AA", "UA", "DL", "ZZ", None]),
    st.sampled_from([None, 0.0, 0.1, 2.5, -1e17, 3.75]),
    st.sampled_from([None, 0, 1, 2, 7]),
    st.sampled_from([None, -4, 0, 1, 3, 9]),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("push"), st.lists(VALUES, min_size=1, max_size=1), st.integers(-3, 2)),
        st.tuples(st.just("push"), st.lists(VALUES, min_size=1, max_size=6), st.integers(-3, 2)),
        st.tuples(st.just("early"), st.lists(VALUES, min_size=1, max_size=2), st.integers(-9, 0)),
        st.tuples(st.just("hold"), VALUES),
        st.tuples(st.just("settle"), st.booleans()),
        st.tuples(st.just("advance"), st.integers(0, 4)),
        st.tuples(st.just("look")),
    ),
    max_size=30,
)


class Pair:
    """An engine whose query is told as changes, and one whose query is also kept in order, so that it has no path."""

    def __init__(self, sql: str) -> None:
        tables = {"airlines": ({"carrier": "text", "name": "text"}, AIRLINES)}
        self.engines = [Engine({"events": EVENTS}, tables) for _ in range(2)]
        self.lives = [engine.live(sql) for engine in self.engines]
        self.told: Counter[Row] = Counter()
        self.lives[0].changes.subscribe(self._tell)
        self.lives[1].splices.subscribe(lambda _: None)
        self.position, self.now, self.held, self.taken = 10, 0, [], 0

    def _tell(self, changes):
        assert len({row for row, _ in changes}) == len(changes), "each row once"
        for row, weight in changes:
            assert weight
            self.told[row] += weight

    def row(self, values, position, shift=0, pending=False) -> Row:
        carrier, delay, n, due = values
        time = self.now + shift * SECOND
        due = None if due is None else self.now + due * SECOND
        return (position, f"e{position}", "some", time, pending, carrier, delay, n, due)

    def push(self, rows, weights=None):
        for engine in self.engines:
            engine.push("events", rows, weights)

    def step(self, kind, *given):
        match kind:
            case "push":
                values, shift = given
                self.push([self.row(each, self.position + at, shift) for at, each in enumerate(values, 1)])
                self.position += len(values)
            case "early":  # by its position
                values, shift = given
                self.taken += len(values)
                self.push([self.row(each, -self.taken + at, shift) for at, each in enumerate(values)])
            case "hold":
                self.held.append(self.row(given[0], 1000 + len(self.held), pending=True))
                self.push(self.held[-1:])
            case "settle" if self.held:
                row, (confirmed,) = self.held.pop(), given
                self.position += 1
                same = (self.position, *row[1:4], False, *row[5:])
                self.push([row, same] if confirmed else [row], [-1, 1] if confirmed else [-1])
            case "advance":
                self.now += given[0] * SECOND
                for engine in self.engines:
                    engine.advance(self.now)

    def check(self):
        assert {row: count for row, count in self.told.items() if count} == Counter(self.lives[1].rows())


@pytest.mark.parametrize("sql", QUERIES.values(), ids=QUERIES)
@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_the_shortest_way_tells_what_the_ordinary_one_does(sql, steps):
    pair = Pair(sql)
    for kind, *given_ in steps:
        pair.step(kind, *given_)
        pair.check()
        if kind == "look":
            assert Counter(pair.lives[0].rows()) == Counter(pair.lives[1].rows())


@pytest.mark.parametrize(("name", "has"), [(name, name not in ("until now", "both")) for name in QUERIES])
def test_which_queries_have_a_fast_path(name, has):
    """As long as nobody asks for its rows in order."""
    pair = Pair(QUERIES[name])
    for _ in range(3):
        pair.step("push", [("AA", 2.5, 1, 3)], 0)
        pair.step("advance", 1)
    path = pair.engines[0].fast_path
    assert (path is not None) == has
    if path is not None:
        row = pair.row(("AA", 2.5, 1, 3), 99)
        assert path.push([row])
        assert not path.push([pair.row(("AA", 2.5, 1, 3), 2000, pending=True)])
        pair.lives[0].rows()
        assert not path.push([row])
        assert not path.advance(pair.now + SECOND)


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside one over the log"])
def test_rows_of_a_kept_relation_leave_by_the_clock_beside_a_fast_path(beside):
    """The fast path moves the clock of its own queries only, so it stands only where there are no others."""
    stock = {"n": "int", "time": "timestamp"}
    engine = Engine({"events": EVENTS, "stock": stock})
    counted = [engine.live(QUERIES["recent" if beside else "no count"])]
    for live in counted:
        live.changes.subscribe(lambda _: None)
    kept = engine.live(f"SELECT count(*), sum(n) FROM stock WHERE {RECENT}")
    kept.changes.subscribe(lambda _: None)
    engine.push("stock", [(1, SECOND), (2, 8 * SECOND)])
    for position in range(1, 4):
        engine.push("events", [(position, f"e{position}", "some", SECOND, False, "AA", 1.0, 1, None)])
    for now, rows in ((3, [(2, 3)]), (6, [(1, 2)]), (9, [(1, 2)]), (13, [(0, None)])):
        engine.advance(now * SECOND)
        assert list(kept.rows()) == rows
    assert list(counted[0].rows()) == ([] if beside else [("AA", 1.0, 1, 1)])
