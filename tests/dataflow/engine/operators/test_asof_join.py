"""ASOF joins against a look at all pairs, and against DuckDB; nothing is left when all rows are gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.engine.engine import Engine
from dataflow.zset import Row
from tests.oracle.world import DUCK, Duck, Watched

TRADES = {"k": "text", "v": "int", "x": "float", "id": "int"}
PRICES = {"k": "text", "v": "int", "x": "float", "price": "int"}
NEAR = {
    ">=": lambda left, right: right <= left, ">": lambda left, right: right < left,
    "<=": lambda left, right: right >= left, "<": lambda left, right: right > left,
}  # fmt: skip
KEYS = st.sampled_from([None, "a", "b"])
VALUES = st.sampled_from([None, -1, 0, 1, 2, 3, 5, 8])
ROWS = st.tuples(KEYS, VALUES, st.just(0.0), st.integers(0, 3))
STEPS = st.lists(st.tuples(st.booleans(), st.lists(ROWS, max_size=5), st.integers(0, 40)), max_size=12)


def expected(trades: list[Row], prices: list[Row], op: str, outer: bool) -> Counter[Row]:
    """By a look at all pairs. Of several prices of one value: the last by all columns."""
    found: Counter[Row] = Counter()
    for key, value, _, id in trades:
        near = [] if None in (key, value) else [
            row for row in prices if row[0] == key and row[1] is not None and NEAR[op](value, row[1])
        ]  # fmt: skip
        if near:
            best = (max if op.startswith(">") else min)(row[1] for row in near)
            found[(id, best, max(row[3] for row in near if row[1] == best))] += 1
        elif outer:
            found[(id, None, None)] += 1
    return found


@pytest.mark.parametrize("outer", [False, True])
@pytest.mark.parametrize("op", NEAR)
@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_each_row_has_its_nearest(op: str, outer: bool, steps: list[tuple[bool, list[Row], int]]) -> None:
    engine = Engine({"trades": TRADES, "prices": PRICES})
    live = engine.live(
        f"SELECT t.id, p.v, p.price FROM trades t ASOF {'LEFT' if outer else ''} JOIN prices p "
        f"ON t.k = p.k AND t.v {op} p.v"
    )
    changed: Counter[Row] = Counter()
    live.changes.subscribe(lambda batch: [changed.update({row: weight}) for row, weight in batch])
    held: dict[str, list[Row]] = {"trades": [], "prices": []}
    for left, come, pick in steps:
        name = "trades" if left else "prices"
        rows = held[name]
        gone = [rows.pop(pick % len(rows))] if rows and pick % 3 == 0 else []
        rows += come
        engine.push(name, [*come, *gone], [1] * len(come) + [-1] * len(gone))
        wanted = expected(held["trades"], held["prices"], op, outer)
        assert Counter(live.rows()) == wanted
        assert +changed == wanted
    for name, rows in held.items():
        engine.push(name, rows, [-1] * len(rows))
    assert not list(live.rows())
    assert all(operator.size == 0 for operator in engine.stats())


@pytest.fixture(scope="module")
def duck() -> Iterator[Duck]:
    duck = Duck()
    for name, columns in (("trades", TRADES), ("prices", PRICES)):
        duck.run(f"CREATE TABLE {name} ({', '.join(f'{c} {DUCK[t]}' for c, t in columns.items())})")
    yield duck
    duck.close()


QUERIES = [
    "SELECT * FROM trades ASOF JOIN prices USING (k, v)",
    "SELECT * FROM trades ASOF LEFT JOIN prices USING (k, v)",
    "SELECT * FROM trades t ASOF LEFT JOIN prices p ON t.x >= p.x",
    "SELECT * FROM trades t ASOF LEFT JOIN prices p ON t.x < p.x AND t.k = p.k",
    "SELECT id, price FROM trades t ASOF JOIN prices p ON t.k >= p.k AND t.v = p.v",
    "SELECT id, price FROM trades t ASOF LEFT JOIN prices p "
    "ON p.v <= t.v + 1 AND t.id > 1 AND p.price <> 20 AND p.k = t.k",
    "SELECT id, price FROM trades t ASOF JOIN prices p ON t.v * 1.5 > p.v - 1 AND t.id > 1 AND p.k = 'a'",
    "SELECT id, price FROM trades t ASOF JOIN prices p ON t.k = p.k AND t.v BETWEEN p.v AND 5",
    "SELECT id, price, p.v FROM trades t ASOF LEFT JOIN prices p ON t.k = p.k AND t.v >= p.v "
    "WHERE price > 10 OR id = 1",
    "SELECT id, price FROM trades t ASOF LEFT JOIN prices p ON t.k = p.k AND t.v >= p.v WHERE t.v > 1",
    "SELECT k, sum(price), count(*) FROM trades ASOF JOIN prices USING (k, v) GROUP BY k",
    "SELECT t.id, p.price, q.price FROM trades t ASOF JOIN prices p USING (k, v) "
    "ASOF LEFT JOIN prices q ON t.k = q.k AND t.v < q.v",
    "WITH last AS (SELECT id, price FROM trades t ASOF JOIN prices p ON t.k = p.k AND t.v >= p.v) "
    "SELECT a.id, b.price FROM last a LEFT JOIN last b ON a.id = b.id + 1",
]


@pytest.mark.parametrize("sql", QUERIES)
def test_means_what_it_means_in_duckdb(duck: Duck, sql: str) -> None:
    engine = Engine({"trades": TRADES, "prices": PRICES})
    watched = Watched(sql, engine.live(sql))
    trades: list[Row] = [
        ("a", 0, -inf, 1), ("a", 3, 0.5, 2), ("b", 5, nan, 3),
        (None, 4, None, 4), ("a", None, inf, 5), ("b", 9, -0.0, 6),
    ]  # fmt: skip
    prices: list[Row] = [
        ("a", 1, 0.0, 10), ("a", 2, 0.25, 20), ("b", 5, inf, 30),
        (None, 3, nan, 40), ("b", None, None, 50), ("a", 7, 2.0, 60),
    ]  # fmt: skip
    held: dict[str, list[Row]] = {"trades": [], "prices": []}
    duck.fill("prices", PRICES, [])

    def step(name: str, rows: list[Row], weight: int) -> None:
        engine.push(name, rows, [weight] * len(rows))
        for row in rows:
            held[name].append(row) if weight > 0 else held[name].remove(row)
        duck.fill(name, TRADES if name == "trades" else PRICES, held[name])
        watched.check(duck, 0)

    step("trades", trades[:3], 1)
    step("prices", prices[:3], 1)
    step("prices", prices[3:], 1)
    step("trades", trades[3:], 1)
    step("prices", [prices[1], prices[2]], -1)
    step("trades", [trades[1], trades[4]], -1)
    step("prices", [prices[1]], 1)
