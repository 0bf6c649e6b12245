"""What lies outside the dialect is refused, with the place, the reason and a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflow.engine.engine import Engine
from dataflow.sql.errors import SqlError

BLOCKS = Path(__file__).with_name("refused.txt").read_text().split("\n\n")[1:]
RELATIONS = {
    "events": {
        "position": "int", "id": "text", "type": "text", "time": "timestamp", "pending": "bool",
        "carrier": "text", "n": "int",
        "delay": "float", "data": "json",
    }
}  # fmt: skip


@pytest.fixture(scope="module")
def engine() -> Engine:
    tables = {"airlines": ({"carrier": "text", "name": "text"}, [("AA", "American")])}
    return Engine(RELATIONS, tables, views={"loop": "SELECT carrier FROM loop"})


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n!")[0][:60])
def test_refused(engine: Engine, block: str) -> None:
    sql, said = block.strip().rsplit("\n! ", 1)
    with pytest.raises(SqlError) as caught:
        engine.check(sql)
    found = caught.value
    assert "\n" not in str(found)
    told = f"{found.line}:{found.column} {found.message}" + (f" ({found.hint})" if found.hint else "")
    assert said in told


@pytest.mark.parametrize(
    "sql",
    [
        "",
        ";",
        "(",
        "SELECT",
        "SELECT FROM",
        "\x00",
        "SELECT '\ud800'",
        "((((((",
        "SELECT * FROM",
        "🦆",
        "VALUES (1), (2, 3)",
        "x" * 9000,
    ],
)
def test_nonsense_is_an_error_of_one_line(engine: Engine, sql: str) -> None:
    with pytest.raises(SqlError) as caught:
        engine.check(sql)
    assert "\n" not in str(caught.value)


def test_depth_is_an_error(engine: Engine) -> None:
    with pytest.raises(SqlError):
        engine.check("SELECT " + "(" * 5000 + "1" + ")" * 5000 + " AS a FROM events")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 AS wind .5.5 \n nullif(2, 0.0)", "VALUES (1- true, 1e0y\nFROM departures",
        "SELECT count(*) FROM'a text\nof two lines'events", 'SELECT count(*) FROM "two\nlines"',
        'SELECT "a\r\nb" FROM events',
        "SELECT 'x'::\"two\nlines\"", 'SELECT "two\u2028lines"(1)',
    ],
)  # fmt: skip
def test_what_is_quoted_on_several_lines_is_told_on_one(engine: Engine, sql: str) -> None:
    with pytest.raises(SqlError) as caught:
        engine.check(sql)
    assert str(caught.value).splitlines() == [str(caught.value)]
