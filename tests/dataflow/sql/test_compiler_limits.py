"""What is long, deep or shared compiles in time and means what it says; what is beyond a bound is refused."""

from __future__ import annotations

from time import thread_time
from typing import Any

import pytest

from dataflow.engine.engine import Engine
from dataflow.sql import budget
from dataflow.sql.errors import SqlError
from dataflow.zset import Row

COLUMNS = {"i": "int", "f": "float", "s": "text", "b": "bool", "j": "json"}
ROWS: list[Row] = [(1, 1.5, "a", True, {"a": {"a": 7}}), (None, None, None, None, None)]
IN_TIME = 4.0
"""Seconds of this thread, on a slow machine."""


def rows_of(sql: str) -> list[Any]:
    """The rows of a query over two rows; and that they go with them."""
    engine = Engine({"t": COLUMNS})
    live = engine.live(sql)
    engine.push("t", ROWS)
    found = list(live.rows())
    engine.push("t", ROWS, [-1, -1])
    assert not live.rows() or "FROM t" not in sql
    return found


def values(sql: str) -> list[Any]:
    return [row[0] for row in rows_of(sql)]


@pytest.mark.parametrize(
    ("expression", "value"),
    [("1e5+1", 100_001.0), ("f*1e3+1", 1501.0), ("1e1-1e1-1", -1.0), ("1e0-.5e0", 0.5), ("2E1+1-3", 18.0)],
)
def test_a_sign_after_an_exponent_is_an_operator(expression: str, value: float) -> None:
    assert values(f"SELECT {expression} FROM t WHERE i = 1") == [value]


def test_between_takes_numbers_with_exponents() -> None:
    assert values("SELECT i FROM t WHERE f BETWEEN 1e0-1 AND 1e0+1") == [1]


def test_places_are_those_of_the_text_as_it_was_written() -> None:
    with pytest.raises(SqlError) as caught:
        rows_of("SELECT 1e5+1,\n  1e0-1, nothing FROM t")
    assert (caught.value.line, caught.value.column) == (2, 10)


@pytest.mark.parametrize("number", ["1e5.5", ".5.5", "1.5.5", "1..2", "1e5e5", "1e", "9" * 4300, "9" * 5000, "9" * 30])
def test_what_is_no_number_is_refused(number: str) -> None:
    with pytest.raises(SqlError, match=r"number|exponent|syntax|expect"):
        rows_of(f"SELECT {number} FROM t")


LONG = {
    "+": (" + ".join(["i"] * 3000), 3000), "-": (" - ".join(["i"] * 301), -299), "*": (" * ".join(["i"] * 999), 1),
    "||": (" || ".join(["s"] * 301), "a" * 301), "AND": (" AND ".join(["b"] * 2000), True),
    "OR": (" OR ".join(["NOT b"] * 301), False), "&": (" & ".join(["i"] * 1000), 1),
    "::": ("i" + "::DOUBLE::BIGINT" * 500, 1),
    "CASE": (f"CASE {' '.join(f'WHEN i = {n} THEN {-n}' for n in range(500))} END", -1),
    "coalesce": (f"coalesce({', '.join(f'nullif(i + {n}, {n + 1})' for n in range(400))}, i)", 1),
    "IN": (f"i IN ({', '.join(map(str, range(10_000)))})", True),
    "IN of expressions": (f"i IN ({', '.join(f'i + {n}' for n in range(1, 400))})", False),
    "parentheses": ("(" * 900 + "i" + ")" * 900, 1), "nested +": ("(i + " * 900 + "i" + ")" * 900, 901),
    "calls": ("abs(" * 900 + "i" + ")" * 900, 1),
    "ELSE CASE": ("CASE WHEN NOT b THEN 0 ELSE " * 900 + "i" + " END" * 900, 1),
    "THEN CASE": ("CASE WHEN b THEN " * 300 + "i" + " END" * 300, 1), "NOT": ("NOT " * 500 + "b", True),
    "JSON path": ("(j" + "->'a'" * 2 + ")::TEXT", "7"), "concat": (f"concat({', '.join(['s'] * 1000)})", "a" * 1000),
    "nullif": ("nullif(" * 200 + "i" + ", 2)" * 200, 1), "scalar": ("(SELECT " * 60 + "7" + ")" * 60, 7),
}  # fmt: skip


@pytest.mark.parametrize("name", LONG)
def test_long_and_deep_expressions_are_computed(name: str) -> None:
    expression, value = LONG[name]
    assert values(f"SELECT {expression} FROM t WHERE i = 1") == [value]


def test_long_conditions_are_asked() -> None:
    assert values("SELECT i FROM t WHERE " + " OR ".join(f"i = {n}" for n in range(1000))) == [1]
    assert values("SELECT i FROM t WHERE " + " AND ".join(f"i <> {n}" for n in range(2, 1000))) == [1]


def doubled(count: int) -> str:
    return f"SELECT i + i AS a0, {', '.join(f'a{n} + a{n} AS a{n + 1}' for n in range(count))} FROM t WHERE i = 1"


def stacked(count: int) -> str:
    sql = "SELECT i AS a0 FROM t WHERE i = 1"
    for n in range(count):
        sql = f"SELECT a{n} + a{n} AS a{n + 1} FROM ({sql})"
    return sql


def chained(count: int, step: str) -> str:
    parts = ", ".join(f"c{n + 1} AS ({step.format(n)})" for n in range(count))
    return f"WITH c0 AS (SELECT i FROM t WHERE i = 1), {parts} SELECT i FROM c{count}"


def test_what_is_shared_is_computed_once() -> None:
    assert rows_of(doubled(60))[0][-1] == 2**61
    assert values(stacked(60)) == [2**60]
    assert values(chained(60, "SELECT i + i AS i FROM c{}")) == [2**60]
    assert values(chained(60, "SELECT CASE WHEN i > 0 THEN i + i ELSE i - i END AS i FROM c{}")) == [2**60]
    assert values(chained(40, "SELECT coalesce(nullif(i, -1), i * 2) + i AS i FROM c{}")) == [2**40]
    assert values(chained(30, "SELECT a.i FROM c{0} a JOIN c{0} b USING (i)")) == [1]


@pytest.mark.long
def test_ten_thousand_terms_compile() -> None:
    for expression in (" || ".join(["s"] * 10_000), " AND ".join(["b"] * 10_000), " + ".join(["i"] * 10_000)):
        assert len(values(f"SELECT {expression} FROM t")) == 2


@pytest.mark.parametrize(
    "step", ["SELECT i FROM c{}", "SELECT i FROM c{0} WHERE i > -{0} - 1", "SELECT max(i) AS i FROM c{} GROUP BY i"]
)
def test_a_thousand_chained_ctes_compile(step: str) -> None:
    began = thread_time()
    assert values(chained(1000, step)) == [1]
    assert thread_time() - began < IN_TIME


def test_a_thousand_select_items_compile() -> None:
    began = thread_time()
    assert rows_of(f"SELECT {', '.join(f'i + {n} AS a{n}' for n in range(1000))} FROM t")[0] == tuple(range(1, 1001))
    assert thread_time() - began < IN_TIME / 2


def test_a_thousand_unions_compile() -> None:
    began = thread_time()
    assert len(rows_of(" UNION ALL ".join(["SELECT i FROM t"] * 1000))) == 2000
    assert thread_time() - began < IN_TIME


def test_a_branch_that_is_not_taken_is_not_computed() -> None:
    """What a CASE keeps from heavy values, sharing leaves kept from them."""
    engine = Engine({"t": COLUMNS})
    live = engine.live("SELECT CASE WHEN length(s) < 9 THEN levenshtein(s, 'b') + levenshtein(s, 'b') END FROM t")
    began = thread_time()
    engine.push("t", [(1, 1.0, "a" * 3000 + str(n), True, None) for n in range(300)])
    assert thread_time() - began < IN_TIME
    assert live.rows() == [(None,)] * 300


DEEPER = ["(" * 1001 + "i" + ")" * 1001, "abs(" * 5000 + "i" + ")" * 5000, "NOT " * 20_000 + "b", "- " * 20_000 + "i"]


@pytest.mark.parametrize("expression", DEEPER, ids=lambda expression: expression[:4])
def test_what_is_deeper_than_any_stack_is_refused(expression: str) -> None:
    with pytest.raises(SqlError, match="nested"):
        rows_of(f"SELECT {expression} FROM t")


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(SqlError, match="1,000,000 characters"):
        rows_of(f"SELECT '{'a' * budget.TEXT}'")
    with pytest.raises(SqlError, match="200,000 words"):
        rows_of("SELECT " + ",".join(["1"] * 150_000))


def test_a_query_that_takes_too_long_is_refused() -> None:
    sql = f"SELECT {' + '.join(['i'] * 20_000)} FROM t"
    with pytest.raises(SqlError, match="s to compile"), budget.budgeted(budget.Budget(seconds=0.1)):
        rows_of(sql)


def test_a_plan_that_is_too_large_is_refused() -> None:
    sql = f"SELECT {', '.join(f'i * {n} - 77' for n in range(60))} FROM t"
    with pytest.raises(SqlError, match="more than 50 parts"), budget.budgeted(budget.Budget(parts=50)):
        rows_of(sql)


@pytest.mark.parametrize("expression", ["(f + f) - (f + f)", "f * f - f * f", "f / 1e-9 - f / 1e-9"])
def test_what_overflows_and_meets_itself_is_one_nan_that_can_go_again(expression: str) -> None:
    engine = Engine({"events": {"position": "int", "pending": "bool", "f": "float"}})
    live = engine.live(f"SELECT {expression} AS v FROM events")
    engine.push("events", [(2**40, True, 1e308)])
    assert str(live.rows()[0][0]) == "nan"
    engine.push("events", [(2**40, True, 1e308)], [-1])
    assert not live.rows()
    assert not live.aside
