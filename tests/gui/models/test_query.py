"""What an operator arranges, run by DuckDB."""

from __future__ import annotations

import duckdb
import pytest

from dataflow.zset import Column
from gui.models.query import Sort, arranged, next_sort

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
