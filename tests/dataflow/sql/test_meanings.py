"""Expressions that DuckDB and the engine must agree on, on all rows, group by group, and while rows come and go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dataflow.engine.engine import Engine
from dataflow.zset import Row
from tests.oracle.world import DUCK, STOPS, Duck, Watched

LINES = Path(__file__).with_name("meanings.txt").read_text().splitlines()
EXPRESSIONS = [line for line in LINES if line and not line.startswith("#")]
COLUMNS = {
    "n": "int", "k": "int", "x": "float", "s": "text", "t": "text", "b": "bool", "u": "timestamp", "w": "timestamp",
}  # fmt: skip
SECOND, DAY = 1_000_000, 86_400_000_000
ROWS: list[Row] = [
    (1, 3, 0.5, "abc", "12", True, 1_704_628_800 * SECOND, 1_704_715_200 * SECOND),
    (2, -5, -2.5, "Motörhead", "300", False, -3 * DAY, 11_016 * DAY + 5),
    (7, 0, 1e10, "", "-1", None, 0, -40 * DAY - 1),
    (-1234, 2, float("nan"), "🦆b🦆", "3000000000", True, 1_382_837_400 * SECOND, 951_868_800 * SECOND),
    (None, None, None, None, None, None, None, None),
    (0, 1, float("inf"), "b", " 7.5 ", False, 1_709_210_096_123_456, 1_709_210_096_123_456),
    (40, 6, 2.25, "a%b_c", "true", True, 1_609_459_200 * SECOND, 1_609_718_399 * SECOND),
]
AGGREGATES = (
    "count_if", "var_", "stddev_", "string_agg", "quantile", "mode", "percentile", "product", "corr", "regr_",
)  # fmt: skip


@pytest.fixture(scope="module")
def duck() -> Iterator[Duck]:
    duck = Duck()
    duck.run(f"CREATE TABLE m ({', '.join(f'{c} {DUCK[t]}' for c, t in COLUMNS.items())})")
    yield duck
    duck.close()


def queries(expression: str) -> list[str]:
    if expression.startswith(("SELECT ", "VALUES ", "WITH ")):
        return [expression]
    if expression.startswith(AGGREGATES):
        return [f"SELECT {expression} FROM m", f"SELECT b, {expression} FROM m GROUP BY b"]
    return [f"SELECT {expression} FROM m", f"SELECT DISTINCT {expression} FROM m WHERE n > -5 ORDER BY ALL"]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_means_what_it_means_in_duckdb(duck: Duck, expression: str) -> None:
    engine = Engine({"m": COLUMNS})
    watched = [Watched(sql, engine.live(sql)) for sql in queries(expression)]
    held: list[Row] = []

    def step(rows: list[Row], weight: int) -> None:
        engine.push("m", rows, [weight] * len(rows))
        for row in rows:
            held.append(row) if weight > 0 else held.remove(row)
        duck.fill("m", COLUMNS, held)
        for each in watched:
            each.check(duck, 0)

    for row in ROWS:
        step([row], 1)
    assert _answered(duck, watched)
    step(ROWS[::2], -1)
    step(ROWS[::2], 1)
    step(ROWS[:], -1)


def _answered(duck: Duck, watched: list[Watched]) -> bool:
    """That DuckDB stops on no row, so that there is something to compare."""
    try:
        for each in watched:
            duck.ask(each.sql, each.types, 0)
    except STOPS:
        return False
    return True
