"""How an operator's sorting and filtering becomes SQL around the board's query: pure text, no Qt.

Sorting and filtering happen in the engine, so they hold for rows that come later too, and cost nothing here.
The board's query stays whole inside; names and text are quoted, so nothing that is typed can be anything but
text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dataflow.zset import Column

SEARCHED = 20_000
"""So many letters of a text are searched for what is typed: each key asks again, of all rows."""


class Sort(NamedTuple):
    """Order by a result column."""

    column: str
    descending: bool = False


def next_sort(present: Sort | None, column: str) -> Sort | None:
    """What a click on a column's header leads to: up, down, then the board's own order again."""
    if present is None or present.column != column:
        return Sort(column)
    return None if present.descending else Sort(column, descending=True)


def arranged(sql: str, columns: Sequence[Column], sort: Sort | None, words: str) -> str:
    """The board's query, filtered to rows where each of `words` is in some text column, and sorted."""
    condition = _condition([column.name for column in columns if column.type == "text"], words.split())
    if sort is None and not condition:
        return sql
    parts = [f"SELECT * FROM (\n{_bare(sql)}\n) AS shown"]
    if condition:
        parts.append(f"WHERE {condition}")
    if sort is not None:
        parts.append(f"ORDER BY {_name(sort.column)} {'DESC' if sort.descending else 'ASC'} NULLS LAST")
    return "\n".join(parts)


def counted(sql: str) -> str:
    """How many rows the board's query has, filtered or not."""
    return f"SELECT count(*) AS total FROM (\n{_bare(sql)}\n) AS shown"


def _condition(names: Sequence[str], words: Sequence[str]) -> str:
    if not names:
        return ""
    return " AND ".join(f"({' OR '.join(_holds(name, word) for name in names)})" for word in words)


def _holds(name: str, word: str) -> str:
    return f"contains(lower(left({_name(name)}, {SEARCHED})), {_text(word.lower())})"


def _bare(sql: str) -> str:
    return sql.strip().rstrip(";")


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''").replace("\0", "") + "'"
