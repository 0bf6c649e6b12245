"""The result columns that panels need: their names, their types, and formats that suit them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from dataflow.board import (
    BarPanel,
    ColumnSpec,
    DataPanel,
    LinePanel,
    LogPanel,
    Panel,
    TablePanel,
    ValuePanel,
    stale_column,
)
from dataflow.boards.formats import check_format
from dataflow.boards.shape import Finding
from dataflow.boards.toml_lines import Path
from dataflow.text.hints import suggest

Columns = Mapping[str, str]
Findings = Iterator[Finding]

_WIDEST = 4_000
_NUMBER = ("int", "float")
_AXIS = ("timestamp", "int", "float")
_ANY = ("text", "int", "float", "bool", "timestamp", "interval", "json")


class Need(NamedTuple):
    """A result column that a panel reads. `key` is where the board file names it, if it does."""

    column: str
    types: tuple[str, ...]
    required: bool = True
    key: str | None = None


def fits(path: Path, panel: Panel, query: str, columns: Columns) -> Findings:
    """What is wrong with the columns of one of the panel's queries ("main", "spark")."""
    if query == "spark":
        yield from _spark(path, columns)
        return
    for need in _needs(panel):
        yield from _meets(path, need, columns, "sql")
    if isinstance(panel, DataPanel) and panel.stale_after is not None:
        yield from _stale(path, panel, columns)
    if isinstance(panel, TablePanel):
        yield from _table(path, panel, columns)
    if isinstance(panel, ValuePanel | BarPanel):
        value = panel.value if isinstance(panel, BarPanel) else "value"
        if value in columns:
            yield from _format(path, panel.format, columns[value])
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
    type_ = columns.get(need.column)
    if type_ is None and need.required:
        message = f"the query gives no column `{need.column}`"
        hint = suggest(need.column, columns) if need.key else f"name one so: … AS {need.column}"
        yield Finding((*path, need.key or query), message, hint)
    elif type_ is not None and type_ not in need.types:
        message = f"the column `{need.column}` is {type_}; it must be {' or '.join(need.types)}"
        yield Finding((*path, query), message)


def _stale(path: Path, panel: DataPanel, columns: Columns) -> Findings:
    name = stale_column(panel)
    key = "stale_by" if panel.stale_by else "stale_after"
    times = [column for column, type_ in columns.items() if type_ == "timestamp"]
    hint = f"name a timestamp column: stale_by = \"{times[0]}\"" if times else "select one: … max(time) AS time"
    if name not in columns:
        yield Finding((*path, key), f"the query gives no column `{name}` that says how new a row is", hint)
    elif columns[name] != "timestamp":
        yield Finding((*path, key), f"the column `{name}` is {columns[name]}; how new a row is, a timestamp says", hint)


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
    if spec.width is not None and not 1 <= spec.width <= _WIDEST:
        yield Finding((*path, "width"), f"{spec.width} is no width", f"it is in pixels, 1 to {_WIDEST}")
    yield from _format(path, spec.format, type_)


def _format(path: Path, spec: str | None, type_: str) -> Findings:
    if wrong := check_format(spec, type_):
        hint = {"timestamp": 'try "%H:%M"', "int": 'try ","', "float": 'try ",.1f"'}.get(type_, "")
        yield Finding((*path, "format"), wrong, hint)
