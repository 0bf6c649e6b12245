"""Kept relations with NaN and both zeros: as in DuckDB, whether a query comes early or late."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.engine.engine import Engine
from dataflow.engine.kept_rows import KeptRows
from dataflow.sql.runtime.numbers import NAN
from dataflow.zset import Row
from tests.oracle.matrix import alike
from tests.oracle.world import DUCK, Duck

COLUMNS = {"g": "int", "x": "float"}
FOLDS = [
    "median(x)", "avg(x)", "sum(x)", "stddev(x)", "max(x)", "product(x)", "corr(x, g)", "regr_r2(x, g)",
    "regr_avgy(x, g)",
]  # fmt: skip
VALUES = ["x * 0", "greatest(x, 1)", "coalesce(x, 'nan')", "sum(x) OVER (ORDER BY g, x)", "sqrt(-x)", "x % 0", "x / 0"]
STATEMENTS = [
    "SELECT x, count(*) FROM t GROUP BY x", "SELECT DISTINCT x FROM t", "SELECT x FROM t",
    "SELECT g, x::VARCHAR FROM t", "SELECT 1 / x FROM t", "SELECT x::VARCHAR, count(*) FROM t GROUP BY 1",
    "SELECT x FROM t ORDER BY x DESC LIMIT 2", "SELECT min(x), max(x), median(x), count(DISTINCT x), sum(x) FROM t",
    "SELECT x FROM t UNION SELECT x FROM t", "SELECT a.x, b.g FROM t a JOIN t b ON a.x = b.x",
    "SELECT x FROM t INTERSECT SELECT x FROM t WHERE g > 1", "SELECT x FROM t EXCEPT SELECT x FROM t WHERE g > 1",
    "SELECT x FROM t EXCEPT ALL SELECT x FROM t WHERE g > 1",
    "SELECT g, rank() OVER (ORDER BY x), count(*) OVER (PARTITION BY x) FROM t", "SELECT x > 1, x = x FROM t",
    "SELECT x FROM t WHERE x IN (SELECT x FROM t WHERE g > 1)", "SELECT DISTINCT ON (x) x, g FROM t ORDER BY x, g",
    "SELECT m, count(*) FROM (SELECT x - x AS m FROM t) GROUP BY m", "SELECT x FROM t WHERE x = 'nan'",
    *(f"SELECT z, count(*) FROM (SELECT {call} AS z FROM t GROUP BY g % 3) GROUP BY z" for call in FOLDS),
    *(f"SELECT z, count(*) FROM (SELECT {call} AS z FROM t) GROUP BY z" for call in VALUES),
    "SELECT x FROM t GROUP BY ROLLUP (x)", "SELECT count(*) FROM t a FULL JOIN t b USING (x)",
    "SELECT count(*) FROM t a LEFT JOIN t b ON a.x = b.x AND a.g < b.g", "SELECT arg_max(x, x), arg_min(x, x) FROM t",
]  # fmt: skip


def nan() -> float:
    """Another NaN each time, as data brings it."""
    return float("nan")


STEPS: list[tuple[list[Row], list[Row]]] = [
    ([(1, nan()), (2, nan()), (3, 0.0), (4, -0.0)], []),
    ([(5, math.inf), (6, None), (3, -0.0), (1, nan())], []),
    ([], [(1, nan())]),
    ([(1, 1.5)], [(3, 0.0)]),
    ([(9, nan()), (9, 0.0)], [(4, -0.0), (2, nan())]),
    ([], [(9, nan()), (1, nan())]),
]


@pytest.fixture(scope="module")
def duck() -> Iterator[Duck]:
    duck = Duck()
    duck.run(f"CREATE TABLE t ({', '.join(f'{c} {DUCK[k]}' for c, k in COLUMNS.items())})")
    yield duck
    duck.close()


def same(one: list[Row], other: list[Row]) -> bool:
    """Zeros are equal whatever their sign."""

    def key(row: Row) -> list[tuple[bool, str]]:
        return [(value is None, str(value + 0.0 if isinstance(value, float) else value)) for value in row]

    pairs = zip(sorted(one, key=key), sorted(other, key=key), strict=False)
    return len(one) == len(other) and all(all(map(lambda a, b: alike(a, b, 12), *pair)) for pair in pairs)


@pytest.mark.parametrize("sql", STATEMENTS)
def test_early_and_late_as_in_duckdb(duck: Duck, sql: str) -> None:
    engine = Engine({"t": COLUMNS})
    early, rows = engine.live(sql), list[Row]()
    for plus, minus in STEPS:
        engine.push("t", [*minus, *plus], [-1] * len(minus) + [1] * len(plus))
        for gone in minus:
            del rows[next(at for at, row in enumerate(rows) if all(map(alike, row, gone)))]
        rows += plus
        duck.fill("t", COLUMNS, rows)
        wanted = duck.ask(sql, [column.type for column in early.columns], 0)
        late = engine.live(sql)
        assert same(list(early.rows()), wanted), (list(early.rows()), wanted)
        assert same(list(late.rows()), wanted), (list(late.rows()), wanted)
        late.close()
    assert not any(math.isnan(v) and v is not NAN for row in early.rows() for v in row if isinstance(v, float))


def test_one_nan_is_taken_back_by_another() -> None:
    engine = Engine({"t": COLUMNS})
    live = engine.live("SELECT x, count(*) FROM t GROUP BY x")
    engine.push("t", [(1, nan()), (2, nan())])
    assert len(list(live.rows())) == 1
    engine.push("t", [(1, nan()), (2, nan())], [-1, -1])
    assert list(live.rows()) == []


def test_a_zero_of_the_other_sign_is_taken_back_where_there_is_no_other() -> None:
    engine = Engine({"t": COLUMNS})
    texts = engine.live("SELECT x::VARCHAR FROM t")
    engine.push("t", [(1, 0.0), (1, -0.0), (1, -0.0)])
    engine.push("t", [(1, -0.0)], [-1])
    assert sorted(texts.rows()) == [("-0.0",), ("0.0",)]
    engine.push("t", [(1, 0.0), (1, 0.0)], [-1, -1])
    assert list(texts.rows()) == list(engine.live("SELECT x FROM t").rows()) == []


@pytest.mark.parametrize("gone", [[(2, 1.0)], [(1, 1.0), (1, 1.0)], [(1, nan())], [(1, -1.0)]])
def test_what_is_not_there_or_not_so_often_is_refused_before_anything_changes(gone: list[Row]) -> None:
    engine = Engine({"t": COLUMNS})
    live = engine.live("SELECT * FROM t")
    engine.push("t", [(1, 1.0)])
    with pytest.raises(ValueError, match="not there"):
        engine.push("t", gone, [-1] * len(gone))
    assert list(live.rows()) == list(engine.live("SELECT g, x FROM t").rows()) == [(1, 1.0)]


def test_a_pending_row_goes_no_more_often_than_it_is_there() -> None:
    engine = Engine({"events": {"position": "int", "pending": "bool"}})
    engine.live("SELECT count(*) FROM events", lambda: [])
    engine.push("events", [(1, True)])
    with pytest.raises(ValueError, match="not there"):
        engine.push("events", [(1, True), (1, True)], [-1, -1])


def test_rows_are_counted_to_the_last_bit() -> None:
    kept = KeptRows(COLUMNS)
    plus, _ = kept.settle([(1, 0.0), (1, -0.0), (1, nan()), (1, nan())], ())
    kept.add(plus)
    assert Counter(map(str, (x for _, x in kept.rows()))) == {"0.0": 1, "-0.0": 1, "nan": 2}
    _, minus = kept.settle((), [(1, -0.0), (1, -0.0), (1, nan())])
    assert list(map(str, (x for _, x in minus))) == ["-0.0", "0.0", "nan"]
    kept.remove(minus)
    assert [str(x) for _, x in kept.rows()] == ["nan"]


FLOATS = st.sampled_from(["0.0", "-0.0", "nan", "1.5"]).map(float)
KEPT_ROWS = st.lists(st.tuples(st.integers(1, 2), st.none() | FLOATS), max_size=8)


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.tuples(KEPT_ROWS, st.integers(0, 8)), max_size=6))
def test_whatever_came_can_go_in_any_split_and_leaves_nothing(steps: list[tuple[list[Row], int]]) -> None:
    kept, there = KeptRows(COLUMNS), Counter[str]()
    for come, count in steps:
        gone = [*(kept.rows()), *come][:count]
        plus, minus = kept.settle(come, gone)
        kept.add(plus)
        kept.remove(minus)
        there.update(map(str, plus))
        there.subtract(map(str, minus))
        assert [str(row) for row in minus] == [str(row) for row in gone]
        assert Counter(map(str, kept.rows())) == +there
        assert not any(math.isnan(x) and x is not NAN for _, x in kept.rows() if x is not None)
    rows = [*kept.rows()]
    kept.remove(kept.settle((), rows)[1])
    assert vars(kept) == vars(KeptRows(COLUMNS))
