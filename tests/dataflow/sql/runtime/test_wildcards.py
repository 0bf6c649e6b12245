"""LIKE and ILIKE with any ESCAPE, as DuckDB has it: what leads up to an escape at a pattern's end is NULL."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from dataflow.engine.engine import Engine
from dataflow.sql.errors import SqlError
from tests.oracle.matrix import Sheet
from tests.oracle.world import Duck

TEXTS = ["x", "a", "A", "Aa", "AA", "%", "a%", "a_", "", "É", None]
PATTERNS = ["A", "Aa", "A%", "AAa", "a_", "%A", "\\%", "%%", "_%", "A\\", "", "AA%"]
ESCAPES = ["", "ESCAPE 'A'", "ESCAPE 'a'", "ESCAPE '%'", "ESCAPE '_'", "ESCAPE '\\'", "ESCAPE ''", "ESCAPE NULL"]


@pytest.fixture(scope="module")
def sheet() -> Iterator[Sheet]:
    duck = Duck()
    yield Sheet(duck, {"s": "text", "p": "text"}, list(product(TEXTS, PATTERNS)))
    duck.close()


@pytest.mark.parametrize("escape", ESCAPES)
def test_every_pattern_with_every_escape(sheet: Sheet, escape: str) -> None:
    forms = [f"{name} p {escape}" for name in ("s LIKE", "s ILIKE", "s NOT LIKE", "s NOT ILIKE")]
    forms += [f"s {name} '{pattern}' {escape}" for name in ("LIKE", "ILIKE") for pattern in ("A", "Aa%", "%_")]
    assert not [(each, found) for each in forms if (found := sheet.differences(each))]


@pytest.mark.parametrize("escape", ["'ab'", "'é'", "s", "1", "upper('a')"])
def test_other_escapes_are_refused(escape: str) -> None:
    with pytest.raises(SqlError):
        Engine({"t": {"s": "text"}}).check(f"SELECT s LIKE 'a' ESCAPE {escape} FROM t")
