"""The engine as a library: its laws, late queries, retraction, shared state, plans kept."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest

from dataflow.engine.engine import Engine, LiveQuery, NeedsHistory
from dataflow.engine.operators.node import Node
from dataflow.engine.operators.window import Window
from dataflow.sql.plan.nodes import Join, Map, Rel
from dataflow.zset import Change, Row, Splice, apply_splices

SECOND = 1_000_000
EVENTS = {
    "position": "int", "id": "text", "type": "text", "time": "timestamp", "pending": "bool",
    "carrier": "text", "delay": "float",
    "n": "int",
}  # fmt: skip
KINDS = {"left": ("carrier", "delay"), "landed": ("carrier", "n")}
AIRLINES = [("AA", "American"), ("UA", "United")]
VIEWS = {"late": "SELECT carrier, delay, position, time FROM events WHERE delay > 10"}
QUERIES = [
    "SELECT carrier, count(*), sum(delay), avg(n), min(delay), max(delay), latest(n), count(DISTINCT n) FROM events "
    "GROUP BY carrier",
    "SELECT count(*), sum(delay), bool_or(pending) FROM events WHERE time > now() - INTERVAL '20 seconds'",
    "SELECT name, count(*), max(delay) FROM events LEFT JOIN airlines USING (carrier) GROUP BY 1",
    "SELECT * FROM late ORDER BY delay DESC, position LIMIT 5",
    "SELECT position, pending FROM events ORDER BY time DESC, position LIMIT 4",
    "SELECT a.position, b.position FROM \"left\" a JOIN landed b ON a.carrier = b.carrier AND a.time <= b.time",
    'SELECT a.position, b.position AS before, b.n FROM "left" a ASOF LEFT JOIN landed b '
    "ON a.carrier = b.carrier AND a.time >= b.time",
    "SELECT a.position, b.position, b.carrier FROM landed a ASOF JOIN late b ON a.n < b.delay",
    "SELECT DISTINCT carrier FROM events WHERE type IN ('left', 'other')",
    "SELECT position, row_number() OVER w AS r, lag(n) OVER w, sum(delay) OVER w FROM events "
    "WINDOW w AS (PARTITION BY carrier ORDER BY delay, position)",
    "SELECT carrier, count(*) AS n, rank() OVER (ORDER BY count(*) DESC) FROM events GROUP BY carrier",
    "SELECT position FROM events QUALIFY row_number() OVER (PARTITION BY carrier ORDER BY delay DESC, position) <= 2",
    "SELECT n, carrier FROM landed UNION ALL SELECT count(*), 'all' FROM late",
]  # fmt: skip


def row(position: int, *, pending: bool = False, seed: int = 0) -> Row:
    random = Random(position * 31 + seed)
    kind = random.choice(["left", "landed", "other"])
    carrier = random.choice(["AA", "UA", "ZZ", None])
    delay, n = random.choice([None, 2.5, 15.0, 33.25]), random.choice([None, 1, 2, 3])
    return (position, f"e{position}", kind, position * SECOND, pending, carrier, delay, n)


ROWS = [row(position) for position in range(1, 61)]


def make(now: int = 0) -> Engine:
    tables = {"airlines": ({"carrier": "text", "name": "text"}, AIRLINES)}
    return Engine({"events": EVENTS}, tables, VIEWS, KINDS, now=now)


def shapes(engine: Engine) -> list[int]:
    return sorted(operator.size for operator in engine.stats())


def tally(live: LiveQuery) -> Counter[Row]:
    """The sum of all that the query says it changed."""
    rows: Counter[Row] = Counter()

    def add(changes: list[Change]) -> None:
        for given, weight in changes:
            rows[given] += weight
            if not rows[given]:
                del rows[given]

    live.changes.subscribe(add)
    return rows


def follow(live: LiveQuery) -> list[Row]:
    """A list that the query's splices keep up to date."""
    rows: list[Row] = []
    live.splices.subscribe(lambda splices: apply_splices(rows, splices))
    return rows


@pytest.mark.parametrize("sql", QUERIES)
@pytest.mark.parametrize("size", [1, 7, 60])
def test_any_split_into_batches_is_the_same(sql: str, size: int) -> None:
    whole, parts = make(), make()
    one, two = whole.live(sql), parts.live(sql)
    whole.push("events", ROWS)
    for at in range(0, len(ROWS), size):
        parts.push("events", ROWS[at : at + size])
    whole.advance(70 * SECOND)
    parts.advance(70 * SECOND)
    assert list(one.rows()) == list(two.rows())


GROUPED = [
    "SELECT carrier, count(*), sum(delay), max(n), latest(n), earliest(delay) FROM events GROUP BY carrier",
    "SELECT name, count(*) AS n FROM events JOIN airlines USING (carrier) GROUP BY name HAVING count(*) > 3",
    "SELECT count(*), bool_or(pending) FROM events",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_changes_alone_add_up_to_the_rows_whatever_comes_between(seed: int) -> None:
    random, engine, whole = Random(seed), make(), make()
    sums = [(sql, tally(engine.live(sql))) for sql in GROUPED]
    for at, given in enumerate(ROWS):
        engine.push("events", [given])
        if random.random() < 0.2:
            held = row(1000 + at, pending=True)
            engine.push("events", [held])
            engine.push("events", [row(2000 + at, pending=True)])
            engine.push("events", [held, row(2000 + at, pending=True)], [-1, -1])
        if random.random() < 0.1:
            late = random.choice(GROUPED)
            sums.append((late, tally(engine.live(late, lambda at=at: [ROWS[: at + 1]], sliced=True))))
        if random.random() < 0.1:
            engine.work()
        if random.random() < 0.05:
            engine.live(GROUPED[0], lambda at=at: [ROWS[: at + 1]]).rows()
    while engine.work():
        pass
    whole.push("events", ROWS)
    expected = {sql: Counter(whole.live(sql, lambda: [ROWS]).rows()) for sql in GROUPED}
    for sql, found in sums:
        assert found == expected[sql]


@pytest.mark.parametrize("sql", QUERIES)
def test_insert_then_retract_leaves_nothing(sql: str) -> None:
    engine = make()
    live = engine.live(sql)
    changed: Counter[Row] = Counter()
    live.changes.subscribe(lambda batch: [changed.update({r: w}) for r, w in batch])
    kept, before, size = follow(live), list(live.rows()), shapes(engine)
    pending = [row(1000 + i, pending=True, seed=i) for i in range(40)]
    for at in range(0, 40, 8):
        engine.push("events", pending[at : at + 8])
    for gone in pending:
        engine.push("events", [gone], [-1])
    assert list(live.rows()) == kept == before
    assert {r: w for r, w in changed.items() if w} == Counter(before)
    assert shapes(engine) == size


@pytest.mark.parametrize("sql", QUERIES)
def test_late_is_as_from_the_start(sql: str) -> None:
    engine = make()
    early = engine.live(sql)
    engine.push("events", ROWS[:40])
    engine.push("events", [row(1001, pending=True)])
    engine.advance(45 * SECOND)
    other = make()
    other.live("SELECT carrier, count(*) FROM events GROUP BY 1")
    other.push("events", ROWS[:40])
    other.push("events", [row(1001, pending=True)])
    other.advance(45 * SECOND)
    late = other.live(sql, lambda: [ROWS[:15], ROWS[15:40]])
    assert list(late.rows()) == list(early.rows())
    for each in (engine, other):
        each.push("events", [row(1001, pending=True), ROWS[40]], [-1, 1])
        each.advance(58 * SECOND)
    assert list(late.rows()) == list(early.rows())


@pytest.mark.parametrize("sql", QUERIES)
def test_slices_with_pushes_between(sql: str) -> None:
    engine, told = make(), make()
    early = told.live(sql)
    for each in (engine, told):
        each.push("events", ROWS[:30])
    late = engine.live(sql, lambda: [ROWS[at : at + 10] for at in range(0, 60, 10)], sliced=True)
    kept = follow(late)
    assert not late.ready
    for at in range(30, 60, 5):
        engine.work()
        for each in (engine, told):
            each.push("events", ROWS[at : at + 5])
            each.push("events", [row(2000 + at, pending=True)])
            each.advance(at * SECOND)
    while engine.work():
        pass
    assert late.ready
    assert list(late.rows()) == kept == list(early.rows())


def test_a_late_query_without_history_says_so() -> None:
    engine = make()
    engine.live(QUERIES[0])
    engine.push("events", ROWS)
    assert engine.live(QUERIES[0]).ready
    with pytest.raises(NeedsHistory):
        engine.live("SELECT count(*) FROM events")
    assert engine.live("SELECT sum(delay) FROM events", lambda: [ROWS]).rows()


@pytest.mark.parametrize("sql", QUERIES)
def test_a_confirmed_row_may_go(sql: str) -> None:
    """What only folds is built anew from history, and subscribers are told the difference alone."""
    held = list(ROWS)
    engine = make()
    live = engine.live(sql, lambda: [list(held)])
    engine.push("events", ROWS)
    kept = follow(live)
    for gone in (ROWS[3], ROWS[59], ROWS[20]):
        held.remove(gone)
        engine.push("events", [gone], [-1])
    afresh = make()
    wanted = afresh.live(sql)
    afresh.push("events", held)
    assert list(live.rows()) == kept == list(wanted.rows())


@pytest.mark.parametrize("sql", QUERIES)
def test_in_slices_the_old_is_shown_until_the_new_is_there(sql: str) -> None:
    held = list(ROWS[:40])
    engine, afresh = make(), make()
    live = engine.live(sql, lambda: [held[at : at + 7] for at in range(0, len(held), 7)], sliced=True)
    engine.push("events", ROWS[:40])
    kept = follow(live)
    for gone in (ROWS[3], ROWS[39]):
        held.remove(gone)
        engine.push("events", [gone], [-1])
        engine.work()
    for row in ROWS[40:]:
        held.append(row)
        engine.push("events", [row])
        engine.work()
        assert list(live.rows()) == kept
    while engine.work():
        assert list(live.rows()) == kept
    wanted = afresh.live(sql)
    afresh.push("events", held)
    assert list(live.rows()) == kept == list(wanted.rows())


def test_history_is_read_once_for_all_that_wait() -> None:
    engine, read = make(), []
    engine.live(QUERIES[0])
    engine.push("events", ROWS)

    def history() -> list[list[Row]]:
        read.append(True)
        return [ROWS]

    lives = [engine.live(sql, history, sliced=True) for sql in QUERIES]
    lives[1].close()
    engine.work()
    lives[2].close()
    while engine.work():
        pass
    for sql, live in zip(QUERIES, lives, strict=True):
        if not live.closed:
            alone = make()
            wanted = alone.live(sql)
            alone.push("events", ROWS)
            assert list(live.rows()) == list(wanted.rows())
        live.close()
    assert read == [True]
    assert len(engine.stats()) == len(make_with(QUERIES[0]).stats())


def make_with(sql: str) -> Engine:
    engine = make()
    engine.live(sql)
    return engine


def test_a_table_may_change_while_a_late_query_reads() -> None:
    engine, afresh = make(), make()
    engine.live(QUERIES[0])
    engine.push("events", ROWS)
    live = engine.live(QUERIES[2], lambda: [ROWS[at : at + 10] for at in range(0, 60, 10)], sliced=True)
    change = [("ZZ", "Zed"), ("AA", "American"), ("AA", "Eagle")], [1, -1, 1]
    for _ in range(3):
        engine.work()
    engine.push("airlines", *change)
    while engine.work():
        pass
    afresh.push("airlines", *change)
    wanted = afresh.live(QUERIES[2])
    afresh.push("events", ROWS)
    assert list(live.rows()) == list(wanted.rows())


def test_independent_batches_may_come_in_any_order() -> None:
    """Also where a position counts, as it does for `latest`."""
    for sql in QUERIES:
        results = []
        for order in ([0, 1, 2, 3], [3, 1, 0, 2], [2, 3, 1, 0]):
            engine = make()
            live = engine.live(sql)
            for at in order:
                engine.push("events", ROWS[at * 15 : at * 15 + 15])
            results.append(list(live.rows()))
        assert results[0] == results[1] == results[2]


def test_a_table_may_change() -> None:
    engine = make()
    live = engine.live(QUERIES[2], lambda: [ROWS])
    engine.push("events", ROWS)
    kept = follow(live)
    engine.push("airlines", [("ZZ", "Zed"), ("AA", "American"), ("AA", "Eagle")], [1, -1, 1])
    afresh = make()
    afresh.push("airlines", [("ZZ", "Zed"), ("AA", "American"), ("AA", "Eagle")], [1, -1, 1])
    wanted = afresh.live(QUERIES[2])
    afresh.push("events", ROWS)
    assert list(live.rows()) == kept == list(wanted.rows())
    assert {name for name, *_ in kept} == {"Zed", "Eagle", "United", None}


def test_equal_queries_share_and_the_last_frees() -> None:
    engine = make()
    views = [engine.live(sql) for sql in QUERIES[:4]]
    count = len(engine.stats())
    again = [engine.live(sql) for sql in QUERIES[:4]]
    assert len(engine.stats()) == count
    for live in views + again:
        live.close()
        live.close()
    assert engine.stats() == []


def test_a_pending_row_becomes_confirmed_in_one_step() -> None:
    engine = make()
    live = engine.live("SELECT id, pending FROM events")
    seen: list[list[tuple[Row, int]]] = []
    live.changes.subscribe(seen.append)
    waiting = row(900, pending=True)
    engine.push("events", [waiting])
    engine.push("events", [waiting, (*waiting[:4], False, *waiting[5:])], [-1, 1])
    assert seen[1:] == [[(("e900", True), 1)], [(("e900", True), -1), (("e900", False), 1)]]


def test_nothing_is_told_where_nothing_changes() -> None:
    engine = make()
    live = engine.live("SELECT max(n) AS top FROM events")
    seen: list[Sequence[Splice]] = []
    live.splices.subscribe(seen.append)
    engine.push("events", [(1, "a", "left", 1, False, "AA", 1.0, 5)])
    engine.push("events", [(2, "b", "left", 2, False, "AA", 1.0, 4)])
    assert seen == [[Splice(0, 0, ((None,),))], [Splice(0, 1, ((5,),))]]


def test_json_is_read_by_path() -> None:
    engine = Engine({"events": {"position": "int", "pending": "bool", "data": "json"}})
    sql = "SELECT position, data ->> 'a' AS a, data ->> '$.b[1]' AS b, (data -> 'c') ->> 'd' AS d, data FROM events"
    live = engine.live(sql)
    waiting = (3, True, {"c": {"d": "x"}})
    engine.push("events", [(1, False, {"a": "text", "b": [1, 2.5]}), (2, False, None), waiting])
    assert list(live.rows()) == [
        (1, "text", "2.5", None, '{"a":"text","b":[1,2.5]}'),
        (2, None, None, None, None),
        (3, None, None, "x", '{"c":{"d":"x"}}'),
    ]
    engine.push("events", [waiting], [-1])
    assert len(live.rows()) == 2


def test_subscribers_may_push_and_subscribe_in_turn() -> None:
    engine = make()
    one, two = engine.live("SELECT count(*) AS n FROM events"), engine.live("SELECT id FROM events")
    late: Counter[Row] = Counter()

    def react(_: object) -> None:
        if list(one.rows()) == [(3,)]:
            engine.push("events", ROWS[3:5])
            two.changes.subscribe(lambda batch: [late.update({row: weight}) for row, weight in batch])

    one.changes.subscribe(react)
    kept = follow(two)
    engine.push("events", ROWS[:3])
    assert kept == list(two.rows())
    assert late == Counter(kept)


def test_unsubscribed_means_silent() -> None:
    engine = make()
    live = engine.live("SELECT count(*) AS n FROM events")
    seen: list[object] = []
    subscription = live.changes.subscribe(seen.append)
    subscription.dispose()
    engine.push("events", ROWS)
    assert len(seen) == 1
    assert list(live.rows()) == [(60,)]


def test_sums_do_not_drift() -> None:
    engine = make()
    live = engine.live("SELECT sum(delay) AS s FROM events WHERE time > now() - INTERVAL '1 second'")
    values = [1e16, 0.1, -1e16, 1e300, 3.7]
    for at, value in enumerate(values * 50):
        engine.push("events", [(at + 1, "x", "left", at * SECOND, False, None, value, None)])
        engine.advance(at * SECOND)
        assert list(live.rows()) == [(value,)]


def test_a_plan_kept_needs_no_parser() -> None:
    """A second engine finds the plans of the first; it imports neither sqlglot nor, unless subscribed to, reactivex."""
    text = """
import sys
from dataflow.engine.engine import Engine
class Plans(dict):
    def put(self, key, plan): self[key] = plan
from tests.dataflow.engine.test_engine import EVENTS, KINDS, QUERIES, VIEWS, ROWS
tables = {"airlines": ({"carrier": "text", "name": "text"}, [("AA", "American")])}
plans = Plans()
cold = [Engine({"events": EVENTS}, tables, VIEWS, KINDS, plans).check(sql) for sql in QUERIES]
for name in [name for name in sys.modules if name.partition(".")[0] in ("sqlglot", "reactivex")]:
    del sys.modules[name]
warm = Engine({"events": EVENTS}, tables, VIEWS, KINDS, plans)
lives = [warm.live(sql) for sql in QUERIES]
assert [live.columns for live in lives] == cold
warm.push("events", ROWS)
assert lives[0].rows()
assert not {"sqlglot", "reactivex"} & {name.partition(".")[0] for name in sys.modules}
"""
    subprocess.run([sys.executable, "-c", text], check=True)


def window_below(live: LiveQuery) -> Node:
    node: Node | None = live.result
    while node is not None and not isinstance(node, Window):
        (node,) = node.inputs
    assert node is not None
    return node


@pytest.mark.parametrize("top", [
    "SELECT n FROM events QUALIFY row_number() OVER (ORDER BY n) <= 3",
    "SELECT n FROM (SELECT n, rank() OVER (ORDER BY n) AS r FROM events) WHERE r < 4",
])
def test_only_the_first_of_a_partition_are_worked_on_where_no_others_are_wanted(top: str) -> None:
    engine = Engine({"events": {"position": "int", "n": "int"}})
    live = engine.live(top)
    window = window_below(live)
    told: list[list[Change]] = []
    live.changes.subscribe(told.append)
    engine.push("events", [(position, 10 * position) for position in range(1, 100)])
    engine.push("events", [(100, 5000)])
    engine.push("events", [(101, 5)])
    assert told[1:] == [[((10,), 1), ((20,), 1), ((30,), 1)], [((30,), -1), ((5,), 1)]]
    assert len(list(window.rows())) == 3


def test_a_late_query_after_a_pending_row_reads_only_what_was_there() -> None:
    """A pending row's provisional position is no position of the log."""
    engine = make()
    live = engine.live("SELECT count(*) FROM events")
    live.changes.subscribe(lambda _: None)
    for at in (0, 1):
        engine.push("events", [ROWS[at]])
    engine.push("events", [row(1 << 60, pending=True)])
    late = engine.live("SELECT count(*), max(position) FROM events", lambda: [ROWS[:5]], sliced=True)
    engine.push("events", ROWS[2:5])
    while engine.work():
        pass
    assert list(late.rows()) == [(6, 1 << 60)]


def test_a_late_query_after_a_push_of_nothing_reads_what_came_then() -> None:
    engine = Engine({"events": EVENTS})
    engine.live("SELECT carrier, count(*) FROM events GROUP BY carrier").changes.subscribe(lambda _: None)
    for rows in ([], [], ROWS[:20], ROWS[20:]):
        engine.push("events", rows)
    assert list(engine.live("SELECT count(*) FROM events", lambda: [ROWS]).rows()) == [(len(ROWS),)]


def test_an_equality_in_where_is_a_key_of_the_join() -> None:
    engine = make()
    rel: Rel = engine.plan("SELECT a.n FROM events a, events b WHERE a.n < b.n AND a.carrier = b.carrier").rel
    while isinstance(rel, Map):
        rel = rel.input
    assert isinstance(rel, Join)
    assert len(rel.left_keys) == len(rel.right_keys) == 1


UNDONE = [
    "SELECT n, pending FROM events ORDER BY position DESC LIMIT 3",
    "SELECT max(n) AS n, bool_or(pending) AS pending FROM events",
    "SELECT latest(n) AS n, count(*) AS c FROM events GROUP BY pending",
    "SELECT n, row_number() OVER (ORDER BY position) AS at FROM events",
]


@pytest.mark.parametrize("sql", UNDONE)
def test_what_is_built_anew_takes_what_is_entered_meanwhile_and_lets_it_go(sql):
    """An entry that withdraws an event waits, and is confirmed before the query has been built anew."""
    engine = Engine({"events": {"position": "int", "n": "int", "pending": "bool"}})
    log = [(1, 10, False), (2, 30, False)]
    live = engine.live(sql, lambda: [list(log)], sliced=True)
    engine.push("events", list(log))
    while engine.work():
        pass
    waits = (1 << 60, 20, True)
    log.remove((2, 30, False))
    engine.push("events", [(2, 30, False), waits], [-1, 1])
    stale = not live.ready
    engine.push("events", [waits, (3, 20, False)], [-1, 1])
    log.append((3, 20, False))
    while engine.work():
        pass
    assert live.ready
    fresh = engine.live(sql, lambda: [list(log)])
    assert (list(live.rows()), live.aside) == (list(fresh.rows()), "")
    assert stale == (sql not in UNDONE[3:])
