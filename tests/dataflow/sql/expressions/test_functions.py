"""Every function of the dialect at the edges of what it takes, row by row as in DuckDB; where that would stop, NULL."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from dataflow.zset import Row
from tests.oracle.matrix import Sheet
from tests.oracle.world import Duck

INF, NAN = math.inf, math.nan
FLOATS = [
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.7, 1e-320, 5e-324, 1e308, -1e308, 1.7976931348623157e308, INF,
    -INF, NAN, 1e16, 123456.789, -7.25, 0.1, 2.0, 10.0, 1e-5, 9007199254740993.0, 4503599627370497.5, 700.0, -750.0,
    None,
]  # fmt: skip
FEW_FLOATS = [0.0, -0.0, 1.0, -1.0, 2.0, -2.5, 3.5, 0.5, 1e308, INF, -INF, NAN, 1e-300, None]
INTS = [
    0, 1, -1, 2, 3, 7, -7, 10, 63, 64, 65, 127, 128, 255, -128, 2**31 - 1, -(2**31), 2**32, 2**62, 2**63 - 1, -(2**63),
    1000, -1000, None,
]  # fmt: skip
FEW_INTS = [0, 1, -1, 2, -3, 7, 63, 64, 2**31, 2**62, 2**63 - 1, -(2**63), None]
TEXTS = [
    "", "a", "A", "abc", "ABC", "  a b ", "é", "É", "ß", "ẞ", "İ", "ı", "ﬁ", "ŉ", "Σς", "日本", "🦆", "👩‍👧", "a🦆b",
    "e\u0301", "\x00", "a\x00b", "%", "_", "\\", "a,b,,c", "123", "-1.5", "it's", "\n\t", "aaa", "ǆ", "ﷺ", None,
]  # fmt: skip
SHEETS: dict[str, tuple[dict[str, str], list[Row]]] = {
    "x": ({"x": "float"}, [(value,) for value in FLOATS]),
    "x y": ({"x": "float", "y": "float"}, list(product(FEW_FLOATS, repeat=2))),
    "n": ({"n": "int"}, [(value,) for value in INTS]),
    "n m": ({"n": "int", "m": "int"}, list(product(FEW_INTS, repeat=2))),
    "s": ({"s": "text"}, [(value,) for value in TEXTS]),
}
LONG = ("repeat(", "pad(", "left(", "right(")
"""What makes long texts of large numbers."""


def expressions() -> dict[str, list[str]]:
    """By the columns that they read."""
    found: dict[str, list[str]] = {}
    for block in Path(__file__).with_name("functions.txt").read_text().split("\n\n# ")[1:]:
        head, *lines = block.strip().split("\n")
        found[head] = lines
    return found


@pytest.fixture(scope="module")
def duck() -> Iterator[Duck]:
    duck = Duck()
    yield duck
    duck.close()


@pytest.mark.parametrize("part", [7, pytest.param(1, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
@pytest.mark.parametrize("read", SHEETS)
def test_functions_at_the_edges(duck: Duck, read: str, part: int) -> None:
    columns, rows = SHEETS[read]
    sheet = Sheet(duck, columns, rows)
    few = [row for row in rows if not any(isinstance(value, int) and abs(value) > 2000 for value in row)]
    small = Sheet(duck, columns, few, "few")
    chosen = expressions()[read][::part]
    assert chosen
    assert not [
        (each, found)
        for each in chosen
        if (found := (small if any(name in each for name in LONG) else sheet).differences(each, digits=12))
    ]
