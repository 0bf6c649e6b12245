"""What an operator arranges, run by DuckDB and by the engine."""

from __future__ import annotations

import duckdb
import pytest

from dataflow.engine.engine import Engine
from dataflow.zset import Column
from gui.models.query import Sort, arranged, counted, next_sort

SQL = '''
SELECT * FROM (VALUES ('AA 753', 'O''Hare 100%', 3), (NULL, 'jfk', NULL), ('aa 12', NULL, 1))
AS t("the ""name""", b, n);
'''
COLUMNS = [Column('the "name"', "text"), Column("b", "text"), Column("n", "int")]


def run(sort: Sort | None, words: str) -> list[object]:
    return [row[2] for row in duckdb.sql(arranged(SQL, COLUMNS, sort, words)).fetchall()]


def test_nothing_arranged_is_the_boards_own_query() -> None:
    assert arranged(SQL, COLUMNS, None, " ") == SQL


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("aa", [3, 1]),
        ("AA hare", [3]),
        ("O'H", [3]),
        ("%", [3]),
        ("_", []),
        ("JFK", [None]),
        ("'; drop", []),
        ("\\", []),
    ],
)
def test_words_are_looked_for_in_every_text_column(words: str, found: list[object]) -> None:
    assert run(None, words) == found


def test_sorts_with_unknown_values_last() -> None:
    assert run(Sort("n"), "") == [1, 3, None]
    assert run(Sort("n", descending=True), "") == [3, 1, None]
    assert run(Sort('the "name"'), "a") == [3, 1]


def test_a_comment_at_the_end_hides_nothing() -> None:
    sql = "SELECT 1 AS n -- one"
    assert duckdb.sql(arranged(sql, [Column("n", "int")], Sort("n"), "x")).fetchall() == [(1,)]


def test_clicks_go_up_down_and_back() -> None:
    first = next_sort(None, "n")
    assert first == Sort("n")
    second = next_sort(first, "n")
    assert second == Sort("n", descending=True)
    assert next_sort(second, "n") is None
    assert next_sort(second, "b") == Sort("b")


FLIGHTS = "SELECT flight, gate FROM events ORDER BY seat DESC, flight"
ROWS = [("AA1", "b2", 1), ("BA2", None, 2), ("AA9", "A2", 3), ("AA5", "a2", 3), ("O'Hare", "c", 2)]


@pytest.mark.parametrize(
    ("sort", "words", "found"),
    [
        (None, "", ["AA5", "AA9", "BA2", "O'Hare", "AA1"]),
        (None, "a", ["AA5", "AA9", "BA2", "O'Hare", "AA1"]),
        (None, "aa 2", ["AA5", "AA9", "AA1"]),
        (None, "'h", ["O'Hare"]),
        (Sort("gate", descending=True), "a", ["O'Hare", "AA1", "AA5", "AA9", "BA2"]),
    ],
)
def test_the_engine_keeps_the_boards_order_where_the_operator_gives_none(
    sort: Sort | None, words: str, found: list[str]
) -> None:
    engine = Engine({"events": {"flight": "text", "gate": "text", "seat": "int"}})
    columns = [Column("flight", "text"), Column("gate", "text")]
    live = engine.live(arranged(FLIGHTS, columns, sort, words), None)
    total = engine.live(counted(FLIGHTS), None)
    for row in ROWS:
        engine.push("events", [row])
    assert [row[0] for row in live.rows()] == found
    assert list(total.rows()) == [(5,)]
