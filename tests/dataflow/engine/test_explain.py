"""What a live query tells of itself: its operators, what they keep, and what they took."""

from __future__ import annotations

import pytest

from dataflow.engine.engine import Engine
from dataflow.engine.explain import Operator

EVENTS = {"position": "int", "type": "text", "time": "timestamp", "carrier": "text", "delay": "float"}
TABLES = {"airlines": ({"carrier": "text", "name": "text"}, [("AA", "American"), ("UA", "United")])}


def make() -> Engine:
    engine = Engine({"events": EVENTS, "stock": {"carrier": "text", "n": "int"}}, TABLES)
    engine.measure()
    return engine


def fill(engine: Engine) -> None:
    engine.push("stock", [("AA", 1), ("UA", 2)])
    engine.push("events", [(n, "left", n, "AA" if n % 3 else "UA", float(n)) for n in range(1, 31)])


def flat(found: Operator) -> list[Operator]:
    return [found, *(each for part in found.inputs for each in flat(part))]


@pytest.mark.parametrize(("sql", "words", "kept"), [
    ("SELECT carrier, sum(delay) FROM events WHERE delay > 3 GROUP BY carrier HAVING sum(delay) > 1",
     ["aggregate: sum(delay) by carrier HAVING", "filter: not delay <= 3.0"], [("aggregate", 2)]),
    ("SELECT name, delay FROM events JOIN airlines USING (carrier)", ["inner join: carrier = carrier"], []),
    ("SELECT delay, n FROM events JOIN stock USING (carrier)", ["inner join: carrier = carrier"], [("inner join", 32)]),
    ("SELECT delay FROM events WHERE time > now() - INTERVAL '1 second'", ["temporal filter: time > (now() - 1000000)"],
     [("temporal filter", 30)]),
    ("SELECT delay FROM events ORDER BY delay DESC LIMIT 3", ["top: 3 rows from 0 by delay DESC"], [("top", 30)]),
    ("SELECT lag(delay) OVER (PARTITION BY carrier ORDER BY position) AS d FROM events",
     ["window: lag(delay) over partition by carrier order by position"], [("window", 30)]),
    ("SELECT DISTINCT carrier FROM events UNION ALL SELECT 'x'", ["union all: 2 inputs", "distinct: carrier"],
     [("distinct", 2)]),
    ("SELECT CASE WHEN delay IS NULL OR NOT delay > 1 THEN 0 ELSE coalesce(delay, 2) END AS c FROM events "
     "WHERE carrier IN ('AA', 'ZZ')", ["CASE WHEN", "carrier IN ("], []),
])  # fmt: skip
def test_operators_are_told_in_words_with_the_size_of_their_state(
    sql: str, words: list[str], kept: list[tuple[str, int]]
) -> None:
    engine = make()
    live = engine.live(sql)
    fill(engine)
    found = flat(engine.explain(live))
    told = [f"{each.name}: {each.detail}" for each in found]
    for word in words:
        assert any(word in line for line in told), told
    sizes = [(each.name, each.size) for each in found if each.keeps and each.name != "result"]
    assert sizes == kept
    assert all(each.bytes > 0 and each.ms > 0 for each in found if each.keeps)


def test_what_queries_share_is_told_once_with_its_readers() -> None:
    engine = make()
    queries = [
        "SELECT carrier, count(*) AS n FROM events GROUP BY carrier",
        "SELECT max(n) AS most FROM (SELECT carrier, count(*) AS n FROM events GROUP BY carrier)",
    ]
    lives = [engine.live(sql) for sql in queries]
    fill(engine)
    groups = [each for each in engine.stats() if each.name == "aggregate" and each.detail.endswith("by carrier")]
    assert [(each.readers, each.size) for each in groups] == [(2, 2)]
    before = len(engine.stats())
    lives[1].close()
    assert len(engine.stats()) < before


def test_memory_grows_with_what_is_kept() -> None:
    engine = make()
    live = engine.live("SELECT carrier || position AS k, count(*) FROM events GROUP BY 1")
    fill(engine)
    small = engine.explain(live).inputs[0].bytes
    engine.push("events", [(n, "left", n, "AA", 1.0) for n in range(100, 1100)])
    assert engine.explain(live).inputs[0].bytes > 10 * small
