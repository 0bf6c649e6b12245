"""Holding a board's SQL against the engine: what it refuses, at the file's own lines, and the columns panels
need.

A view is checked before what uses it. Where a view is broken, what rests on it is not blamed for it. The
engine says where within the SQL the error stands; `LoadedBoard.lines` knows where that is in the file, also
in multi-line strings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Protocol

from dataflow.board import Panel, queries
from dataflow.boards.file import LoadedBoard, read
from dataflow.boards.panel_columns import fits
from dataflow.boards.problems import BoardProblem
from dataflow.boards.rules import views_used
from dataflow.boards.shape import Finding
from dataflow.boards.toml_lines import Path
from dataflow.engine.plan_cache import Plans
from dataflow.sql.errors import SqlError
from dataflow.zset import Column

if TYPE_CHECKING:
    from dataflow.engine.engine import Engine

_BASIS = ("events", "tables", "views")
_KEYS = {"main": "sql", "spark": "spark"}


class Checker(Protocol):
    """The engine, as far as checking goes."""

    def check(self, sql: str) -> Sequence[Column]:
        """The result's columns, without keeping any state. Raises SqlError."""


def examine(
    path: FilePath, engine_factory: Callable[[LoadedBoard], Checker]
) -> tuple[LoadedBoard, list[BoardProblem]]:
    """Read a board file and say everything that is wrong with it, SQL included. Raises BoardError if it is no
    TOML.

    Where event types, tables or views are damaged, queries would be blamed for what they lack, so SQL has to
    wait.
    """
    loaded, problems = read(path)
    if not any(problem.path != path or problem.key.startswith(_BASIS) for problem in problems):
        problems = sorted(problems + check(loaded, engine_factory), key=lambda problem: problem.line)
    return loaded, problems


def engine_for(loaded: LoadedBoard, plans: Plans | None) -> Engine:
    """An engine for the board, holding nothing yet."""
    from dataflow.engine.engine import Engine

    return Engine(
        relations=loaded.schema.relations(),
        kinds=loaded.schema.kinds,
        tables=loaded.tables,
        views={name: view.sql for name, view in loaded.board.views.items()},
        plans=plans,
    )


def check(loaded: LoadedBoard, engine_factory: Callable[[LoadedBoard], Checker]) -> list[BoardProblem]:
    """Everything that is wrong with the board's SQL, or with the columns that it gives."""
    engine = engine_factory(loaded)
    checked = _Checked(loaded, engine)
    checked.views()
    for index, panel in zip(loaded.panels, loaded.board.panels, strict=True):
        checked.panel(("panels", index), panel)
    return checked.problems


class _Checked:
    def __init__(self, loaded: LoadedBoard, engine: Checker) -> None:
        self.problems: list[BoardProblem] = []
        self._loaded = loaded
        self._engine = engine
        self._broken: set[str] = set()

    def views(self) -> None:
        views = self._loaded.board.views
        for name in _users_last(self._loaded):
            if self._columns(("views", name, "sql"), views[name].sql) is None:
                self._broken.add(name)

    def panel(self, path: Path, panel: Panel) -> None:
        for name, sql in queries(panel).items():
            columns = self._columns((*path, _KEYS[name]), sql)
            for finding in fits(path, panel, name, columns) if columns is not None else ():
                self.problems.append(self._loaded.problem(finding))

    def _columns(self, path: Path, sql: str) -> dict[str, str] | None:
        """The columns, or None where the SQL, or a view below it, is broken."""
        if self._broken.intersection(views_used(sql, self._loaded.board)):
            return None
        try:
            return {column.name: column.type for column in self._engine.check(sql)}
        except SqlError as error:
            self.problems.append(self._sql_problem(path, error))
            return None

    def _sql_problem(self, path: Path, error: SqlError) -> BoardProblem:
        problem = self._loaded.problem(Finding(path, error.message, error.hint))
        place = self._loaded.lines.within(path, error.line, error.column) if error.line else None
        return BoardProblem(
            problem.path, place.line if place else problem.line, problem.key, problem.message, problem.hint,
            place.column if place else None,
        )  # fmt: skip


def _users_last(loaded: LoadedBoard) -> list[str]:
    """The views' names, each after the views that it uses."""
    views, order = loaded.board.views, dict[str, None]()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        for used in views_used(views[name].sql, loaded.board):
            if used not in order and used not in trail:
                visit(used, (*trail, name))
        order.setdefault(name)

    for name in views:
        visit(name, (name,))
    return list(order)
