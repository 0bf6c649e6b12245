"""SELECT in stages: the plan of each clause, and what an alias may name where."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflow.engine.engine import Engine
from dataflow.sql.errors import SqlError
from dataflow.sql.plan.codec import encode
from tests.dataflow.sql.plan.test_push_filters import RELATIONS, described

GOLDEN = Path(__file__).with_name("golden.txt").read_text().strip().split("\n\n")[1:]


@pytest.mark.parametrize("plan", GOLDEN, ids=lambda plan: plan.split("\n")[0][:60])
def test_a_plan_is_as_it_was_written_down(plan: str) -> None:
    assert described(plan.split("\n")[0]) == plan


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT a + 1 AS c FROM t WHERE c > 1 ORDER BY c", "SELECT a + 1 AS c FROM t WHERE a + 1 > 1 ORDER BY 1"),
        ("SELECT b AS x, sum(a) AS y FROM t GROUP BY x HAVING y > 1",
         "SELECT b AS x, sum(a) AS y FROM t GROUP BY b HAVING sum(a) > 1"),
        ("SELECT s, count(*) FROM t GROUP BY ALL", "SELECT s, count(*) FROM t GROUP BY s"),
        ("SELECT rank() OVER (ORDER BY a) AS r FROM t QUALIFY r < 3",
         "SELECT rank() OVER (ORDER BY a) AS r FROM t QUALIFY rank() OVER (ORDER BY a) < 3"),
        ("SELECT * EXCLUDE (w, s) FROM t", "SELECT a, b FROM t"),
        ("SELECT t.a FROM t JOIN u ON t.a = u.k AND EXISTS (SELECT 1 FROM u x WHERE x.k = t.b)",
         "SELECT t.a FROM t JOIN u ON t.a = u.k WHERE EXISTS (SELECT 1 FROM u x WHERE x.k = t.b)"),
    ],
)  # fmt: skip
def test_two_ways_to_say_one_thing_are_one_plan(one: str, other: str) -> None:
    compiler = Engine(RELATIONS).compiler
    assert encode(compiler.query(one)) == encode(compiler.query(other))


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT b AS x, x2 AS y, a AS x2 FROM t", "'x2' is read before it is defined"),
        ("SELECT sum(a) AS y FROM t WHERE y > 1", "an aggregate in WHERE"),
        ("SELECT x + 1 AS x FROM t", "'x' is defined by itself"),
        ("SELECT rank() OVER (ORDER BY a) AS r FROM t WHERE r = 1", "a window function in WHERE"),
        ("SELECT sum(a) AS y FROM t GROUP BY y", "an aggregate in GROUP BY"),
        ("SELECT s, b FROM t GROUP BY s", "column 'b' is neither in GROUP BY nor in an aggregate"),
        ("SELECT s, grouping(b) FROM t GROUP BY s", "grouping takes keys of GROUP BY"),
        ("SELECT a FROM t GROUP BY 2", "there is no column 2 in the select list: it has 1"),
        ("SELECT a FROM t GROUP BY 0", "there is no column 0 in the select list: it has 1"),
    ],
)
def test_what_a_clause_cannot_name_is_refused(sql: str, message: str) -> None:
    with pytest.raises(SqlError, match=message.replace("(", r"\(")):
        Engine(RELATIONS).check(sql)
