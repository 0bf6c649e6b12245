"""Statements to begin with: those of our own tests, what must be refused, and the queries of our boards."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from dataflow.board import queries
from dataflow.boards.file import load

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
BOARDS = ROOT / "assets" / "boards"
BEGINS = re.compile(r"\s*(SELECT|WITH|VALUES|FROM)\b", re.IGNORECASE)
TOKEN = re.compile(
    r"'(?:[^']|'')*'|\"[^\"]*\"|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\w+|\s+|::|->>|->|<=|>=|<>|!=|\|\||.", re.DOTALL
)


@cache
def corpus() -> tuple[str, ...]:
    """Each once, in an order that does not change from run to run."""
    return tuple(dict.fromkeys([*_meanings(), *_refused(), *_boards(), *_tests()]))


def tokens(sql: str) -> list[str]:
    return TOKEN.findall(sql)


def _meanings() -> Iterator[str]:
    for line in (TESTS / "dataflow" / "sql" / "meanings.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            yield line if BEGINS.match(line) else f"SELECT {line} FROM m"


def _refused() -> Iterator[str]:
    for block in (TESTS / "dataflow" / "sql" / "refused.txt").read_text().split("\n\n")[1:]:
        yield block.strip().rsplit("\n! ", 1)[0]


def _boards() -> Iterator[str]:
    for path in sorted(BOARDS.glob("*.toml")):
        board = load(path).board
        yield from (view.sql for view in board.views.values())
        yield from (sql for panel in board.panels for sql in queries(panel).values())


def _tests() -> Iterator[str]:
    """The texts in our tests that begin as a query does."""
    for path in sorted(TESTS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and BEGINS.match(node.value):
                yield node.value
