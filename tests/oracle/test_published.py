"""Statements in the manner of published test suites, beside DuckDB after every batch of rows and retractions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataflow.engine.engine import Engine
from dataflow.zset import Row
from tests.oracle.steps import compare
from tests.oracle.world import DUCK, Duck

STATEMENTS = [
    line
    for line in Path(__file__).with_name("published.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
DAY = 86_400_000_000
T = {
    "id": "int", "g": "int", "i": "int", "d": "float", "s": "text", "b": "bool", "at0": "timestamp", "u": "text",
}  # fmt: skip
R = {"k": "int", "w": "int", "name": "text"}
ROWS: list[Row] = [
    (1, 1, 5, 1.5, "abc", True, 0, "day"), (2, 1, -3, -0.25, "42", False, 694_224_000_000_000 + 5, "month"),
    (3, 1, 5, 1e308, "-7.5", None, 1_709_210_096_123_456, "HOUR"), (4, 2, 0, math.nan, "a-b-c", True, -1, "year"),
    (5, 2, 127, math.inf, "2020-02-29", None, -62_135_596_800_000_001, "week"), (6, 2, None, 0.0, "", False, None, "s"),
    (7, None, 255, -0.0, None, True, 1_000_000 * DAY, None), (8, 3, 2**62, 2.5, "ab%c", False, 1, "decade"),
    (9, 3, -(2**62), 1e308, "Ünï 🦆", True, 951_868_800_000_000, "quarter"),
    (10, None, None, None, None, None, None, "day"), (11, 1, 1, math.nan, "true", None, -400 * DAY, "minute"),
    (12, 2, 128, -1e308, "1e3", True, 10**15, "century"),
]  # fmt: skip
OTHERS: list[Row] = [(1, 2, "one"), (2, None, "two"), (2, 5, "two"), (4, 1, None), (None, 3, "none"), (3, 0, "three")]


VIEW = "SELECT id, g, i, d, s, b, at0::TIMESTAMP AS ts, at0::DATE AS day, u FROM raw"


@pytest.fixture(scope="module")
def duck() -> Iterator[Duck]:
    duck = Duck()
    for name, columns in (("raw", T), ("r", R)):
        duck.run(f"CREATE TABLE {name} ({', '.join(f'{c} {DUCK[k]}' for c, k in columns.items())})")
    duck.fill("r", R, OTHERS)
    duck.run(f"CREATE VIEW t AS {VIEW}")
    yield duck
    duck.close()


@pytest.mark.parametrize("part", [4, pytest.param(1, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
def test_after_every_batch(duck: Duck, part: int) -> None:
    engine = Engine({"raw": T, "r": R}, views={"t": VIEW})
    engine.push("r", OTHERS)
    told, refused = compare(duck, T, ROWS, STATEMENTS[::part], engine, "raw")
    assert (told, refused) == ([], {})
