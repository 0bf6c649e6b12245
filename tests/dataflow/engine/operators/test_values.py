"""The operators' values beside DuckDB's, after each of some steps: the laws alone would not see what is always wrong.

No two rows are equal in what they are ordered by and not in all columns, since DuckDB takes any of such rows first.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dataflow.engine.engine import Engine
from dataflow.zset import Row
from tests.dataflow.engine.operators.statements import COLUMNS, FILTERS, KEPT
from tests.oracle.steps import compare
from tests.oracle.world import DUCK, Duck

T: list[Row] = [
    ("a", 1, 0.5, 10), ("a", 2, 4.0, 20), ("a", 2, 4.0, 20), ("a", 4, None, 40), ("a", 5, -1.0, 50), ("a", 9, 2.5, 90),
    ("b", 3, 1.5, 30), ("b", 3, 1.5, 30), ("b", 6, 8.0, None), (None, 7, 3.5, 70), (None, None, 6.0, 80),
]  # fmt: skip
U: list[Row] = [("a", 3, 0.25, 1), ("a", 2, 4.0, 2), ("b", 5, 1.5, 3), ("b", 1, 7.0, 4), (None, 8, 2.0, 5)]
OWN = {"arg", "whole"}
"""Of several most frequent values, and of first values without an order, DuckDB takes any."""


@pytest.fixture
def duck() -> Iterator[Duck]:
    duck = Duck()
    duck.run(f"CREATE TABLE u ({', '.join(f'{name} {DUCK[kind]}' for name, kind in COLUMNS.items())})")
    duck.fill("u", COLUMNS, U)
    yield duck
    duck.close()


def test_after_each_step_the_values_are_those_of_duckdb(duck: Duck) -> None:
    engine = Engine({"t": COLUMNS, "u": COLUMNS})
    engine.push("u", U)
    statements = [sql for name, sql in KEPT.items() if name not in {*FILTERS, *OWN}]
    differences, refused = compare(duck, COLUMNS, T, statements, engine)
    assert not refused
    assert not differences, differences[:3]
