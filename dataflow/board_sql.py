"""Holding a board's SQL against the engine: what it refuses, at the file's own lines, and the columns panels
need.

A view is checked before what uses it. Where a view is broken, what rests on it is not blamed for it. The
engine says where within the SQL the error stands; `LoadedBoard.lines` knows where that is in the file, also
in multi-line strings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, NamedTuple, Protocol

from dataflow.board import (
    BarPanel,
    ColumnSpec,
    LinePanel,
    LogPanel,
    Panel,
    TablePanel,
    ValuePanel,
    queries,
)
from dataflow.board_file import LoadedBoard, read
from dataflow.board_rules import views_used
from dataflow.board_shape import Finding
from dataflow.hints import suggest
from dataflow.plans import Plans
from dataflow.problems import BoardProblem
from dataflow.sql.errors import SqlError
from dataflow.toml_lines import Path
from dataflow.zset import Column

if TYPE_CHECKING:
    from dataflow.engine import Engine

Columns = Mapping[str, str]
Findings = Iterator[Finding]

_NUMBER = ("int", "float")
_AXIS = ("timestamp", "int", "float")
_ANY = ("text", "int", "float", "bool", "timestamp", "interval", "json")
_BASIS = ("events", "tables", "views")
_KEYS = {"main": "sql", "spark": "spark"}


class Checker(Protocol):
    """The engine, as far as checking goes."""

    def check(self, sql: str) -> Sequence[Column]:
        """The result's columns, without keeping any state. Raises SqlError."""


class Need(NamedTuple):
    """A result column that a panel reads. `key` is where the board file names it, if it does."""

    column: str
    types: tuple[str, ...]
    required: bool = True
    key: str | None = None


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
    from dataflow.engine import Engine

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
            for finding in _fits(path, panel, name, columns) if columns is not None else ():
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


def _fits(path: Path, panel: Panel, query: str, columns: Columns) -> Findings:
    if query == "spark":
        yield from _spark(path, columns)
        return
    for need in _needs(panel):
        yield from _meets(path, need, columns, "sql")
    if isinstance(panel, TablePanel):
        yield from _table(path, panel, columns)
    if isinstance(panel, ValuePanel | BarPanel):
        value = panel.value if isinstance(panel, BarPanel) else "value"
        yield from _format(path, panel.format, columns.get(value, "json"))
    if isinstance(panel, ValuePanel) and panel.thresholds and columns.get("value", "int") not in _NUMBER:
        yield Finding((*path, "thresholds"), f"the column `value` is {columns['value']}, not a number")


def _needs(panel: Panel) -> tuple[Need, ...]:
    match panel:
        case ValuePanel():
            return Need("value", _ANY), Need("caption", ("text",), False), Need("pending", ("bool",), False)
        case TablePanel():
            return (Need("pending", ("bool",), False),)
        case LinePanel():
            series = (Need(panel.series, _ANY, True, "series"),) if panel.series else ()
            return _named("x", panel.x, _AXIS), _named("y", panel.y, _NUMBER), *series
        case BarPanel():
            label, value = _named("label", panel.label, _ANY), _named("value", panel.value, _NUMBER)
            return label, value, Need("pending", ("bool",), False)
        case LogPanel():
            texts = (Need(name, ("text",), name == "title") for name in ("title", "detail", "tone"))
            return Need("time", ("timestamp",)), *texts, Need("pending", ("bool",), False)
    return ()


def _named(key: str, column: str, types: tuple[str, ...]) -> Need:
    """A column that the board file may name by `key`, and whose name is `key` otherwise."""
    return Need(column, types, True, None if column == key else key)


def _meets(path: Path, need: Need, columns: Columns, query: str) -> Findings:
    found = columns.get(need.column)
    if found is None and need.required:
        message = f"the query gives no column `{need.column}`"
        hint = suggest(need.column, columns) if need.key else f"name one so: … AS {need.column}"
        yield Finding((*path, need.key or query), message, hint)
    elif found is not None and found not in need.types:
        message = f"the column `{need.column}` is {found}; it must be {' or '.join(need.types)}"
        yield Finding((*path, query), message)


def _spark(path: Path, columns: Columns) -> Findings:
    types = tuple(columns.values())
    if len(types) < 2 or types[0] not in _AXIS or types[1] not in _NUMBER:
        hint = "SELECT … AS x, … AS y: x is a timestamp or a number, y a number"
        yield Finding((*path, "spark"), f"gives ({', '.join(types)}), not (x, y)", hint)


def _table(path: Path, panel: TablePanel, columns: Columns) -> Findings:
    for name, spec in panel.columns.items():
        place = (*path, "columns", name)
        if name not in columns:
            yield Finding(place, f"the query gives no column `{name}`", suggest(name, columns))
        else:
            yield from _column(place, spec, columns[name], columns)
    for i, action in enumerate(panel.actions):
        for field, column in action.fields.items():
            if column not in columns:
                place = (*path, "actions", i, "fields", field)
                yield Finding(place, f"the query gives no column `{column}`", suggest(column, columns))


def _column(path: Path, spec: ColumnSpec, type_: str, columns: Columns) -> Findings:
    if spec.tone is not None and spec.tone not in columns:
        message = f"the query gives no column `{spec.tone}`"
        yield Finding((*path, "tone"), message, suggest(spec.tone, columns))
    elif spec.tone is not None and columns[spec.tone] != "text":
        message = f"the column `{spec.tone}` is {columns[spec.tone]}; a tone is text that names a role"
        yield Finding((*path, "tone"), message)
    yield from _format(path, spec.format, type_)


def _format(path: Path, spec: str | None, type_: str) -> Findings:
    if spec and not _suits(spec, type_):
        hint = {"timestamp": 'try "%H:%M"', "int": 'try ","', "float": 'try ",.1f"'}.get(type_, "")
        yield Finding((*path, "format"), f'"{spec}" is no format for {type_}', hint)


def _suits(spec: str, type_: str) -> bool:
    if type_ == "timestamp":
        return "%" in spec
    samples = {"int": 1, "float": 1.5, "text": "a"}
    if type_ not in samples:
        return True
    try:
        format(samples[type_], spec)
    except (ValueError, TypeError):
        return False
    return True
