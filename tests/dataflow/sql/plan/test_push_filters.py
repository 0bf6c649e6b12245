"""Rewriting: plans as they are to be, and the same rows as without it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.engine.engine import Engine
from dataflow.sql.plan.codec import encode
from dataflow.sql.plan.describe import Describer, inputs
from dataflow.sql.plan.nodes import Call, Col, Const, Expr, IsNull, Map, Not, Or, Order, Pool, Query, Rel
from dataflow.sql.plan.prune_columns import prune_columns
from dataflow.sql.plan.push_filters import FilterPusher
from dataflow.zset import Row

RELATIONS = {
    "events": {
        "position": "int", "id": "text", "type": "text", "time": "timestamp", "pending": "bool", "n": "int", "s": "text"
    },
    "t": {"a": "int", "b": "int", "s": "text", "w": "timestamp"},
    "u": {"k": "int", "v": "float", "s": "text"},
}  # fmt: skip
GOLDEN = Path(__file__).with_name("golden.txt").read_text().strip().split("\n\n")[1:]


def described(sql: str) -> str:
    describer, lines = Describer(RELATIONS), [sql]

    def describe(rel: Rel, depth: int) -> None:
        lines.append("  " * depth + ": ".join(describer.operator(rel)))
        for each in inputs(rel):
            describe(each, depth + 1)

    describe(Engine(RELATIONS).compiler.query(sql).rel, 0)
    return "\n".join(lines)


@pytest.mark.parametrize("plan", GOLDEN, ids=lambda plan: plan.split("\n")[0][:60])
def test_a_plan_is_as_it_was_written_down(plan: str) -> None:
    assert described(plan.split("\n")[0]) == plan


NOW, MINUTE = 1_000_000_000, 60_000_000
SOURCES = [
    "SELECT a, b FROM t", "SELECT a + 1, b FROM t WHERE b > 0", "SELECT a, b FROM t UNION ALL SELECT k, a FROM t, u",
    "SELECT t.a, u.k FROM t JOIN u ON t.a = u.k", "SELECT t.a, u.k FROM t LEFT JOIN u ON t.a = u.k AND u.v > 1",
    "SELECT u.k, t.b FROM t RIGHT JOIN u ON t.a = u.k", "SELECT t.b, u.k FROM t, u WHERE t.s = u.s",
    "SELECT a, b FROM t WHERE a IN (SELECT k FROM u)", "SELECT a, b FROM t WHERE a NOT IN (SELECT k FROM u)",
    "SELECT a, b FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k = t.a AND t.b > u.k)",
    "SELECT t.a, u.k FROM t ASOF JOIN u ON t.s = u.s AND t.a >= u.k",
    "SELECT t.a, u.k FROM t ASOF LEFT JOIN u ON t.a >= u.k",
    "SELECT a, b FROM t WHERE w > now() - INTERVAL '5 minutes'",
    "SELECT t.a, u.k FROM t JOIN u ON t.a = u.k WHERE t.w > now() - INTERVAL '5 minutes'",
    "SELECT a, row_number() OVER (PARTITION BY s ORDER BY b, a, w) FROM t",
    "SELECT b, rank() OVER (PARTITION BY a ORDER BY b) FROM t", "SELECT a, count(*) FROM t GROUP BY a",
    "SELECT a, b FROM (SELECT a, b FROM t ORDER BY b, a, s, w LIMIT 3)", "SELECT DISTINCT a, b FROM t",
]  # fmt: skip
"""Relations of two whole numbers, of every operator."""
NUMBERS = st.one_of(st.none(), st.integers(0, 3))
TEXTS = st.sampled_from([None, "x", "y"])
TIMES = st.sampled_from([None, *(NOW + at * MINUTE for at in (-6, -5, -4, 0, 1))])
T = st.lists(st.tuples(NUMBERS, NUMBERS, TEXTS, TIMES), max_size=8)
U = st.lists(st.tuples(NUMBERS, st.sampled_from([None, 0.5, 1.5]), TEXTS), max_size=5)
COLUMNS = st.sampled_from([Col(0), Col(1)])
OPS = st.sampled_from(["{0} < {1}", "{0} <= {1}", "{0} == {1}", "{0} != {1}", "{0} > {1}"])
SIDES = st.one_of(COLUMNS, st.integers(0, 3).map(lambda n: Const(n, "int")))
SIMPLE = st.one_of(
    st.builds(lambda op, one, two: Call(op, (one, two)), OPS, COLUMNS, SIDES), COLUMNS.map(IsNull),
    COLUMNS.map(lambda column: Not(IsNull(column))),
    COLUMNS.map(lambda column: Call("{0} in {1}", (column, Pool((1, 2))))),
)  # fmt: skip
TESTS = st.one_of(SIMPLE, st.tuples(SIMPLE, SIMPLE).map(Or))


def rows_of(rel: Rel, width: int, t: list[Row], u: list[Row]) -> Counter[Row]:
    """The rows of a relation of whole numbers, as the engine gives them for its plan."""

    class Plans:
        def get(self, key: str) -> bytes:
            return encode(query)

        def put(self, key: str, plan: bytes) -> None:
            pass

    order = tuple(Order(at, "int") for at in range(width))
    query = Query(tuple(f"c{at}" for at in range(width)), ("int",) * width, rel, order)
    engine = Engine(RELATIONS, plans=Plans())
    live = engine.live("SELECT 1")
    engine.advance(NOW)
    engine.push("t", t)
    engine.push("u", u)
    return Counter(live.rows())


@pytest.mark.parametrize("sql", SOURCES)
@settings(max_examples=12, deadline=None)
@given(test=TESTS, t=T, u=U)
def test_a_filter_lets_the_same_rows_pass_wherever_it_stands(sql: str, test: Expr, t: list[Row], u: list[Row]) -> None:
    rel = Engine(RELATIONS).compiler.query(sql).rel
    pushed = FilterPusher(None).filter(rel, test)
    assert rows_of(pushed, 2, t, u) == rows_of(Map(rel, (test,), None), 2, t, u)


@pytest.mark.parametrize("sql", SOURCES)
@settings(max_examples=6, deadline=None)
@given(columns=st.lists(COLUMNS, min_size=1, max_size=3), t=T, u=U)
def test_what_is_read_is_the_same_without_what_is_not(
    sql: str, columns: list[Expr], t: list[Row], u: list[Row]
) -> None:
    rel = Engine(RELATIONS).compiler.query(sql).rel
    below = rel.input if isinstance(rel, Map) and all(isinstance(column, Col) for column in rel.columns or ()) else rel
    read = Map(below, (), tuple(columns))
    assert rows_of(prune_columns(read), len(columns), t, u) == rows_of(read, len(columns), t, u)
