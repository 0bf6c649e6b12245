"""Query results as text: an aligned table for people, JSON lines and CSV for programs."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from dataflow.exchange.spreadsheet import neutralise_row
from dataflow.times import iso, local_text
from dataflow.zset import Column, Row
from gui.reporting.terminal import printable, unguarded

Cell = Callable[[Any], Any]

_RIGHT = ("int", "float")


def write(form: str, columns: Sequence[Column], rows: Sequence[Row], zone: str) -> None:
    """Print the rows on stdout. CSV that a program reads, not a terminal, has the values as they are."""
    out = unguarded(sys.stdout) if form.endswith("csv") and not sys.stdout.isatty() else sys.stdout
    for line in FORMATS[form](columns, rows, zone):
        out.write(line)


def _table(columns: Sequence[Column], rows: Sequence[Row], zone: str) -> Iterator[str]:
    """Times are local on the board; NULL is empty; text that would break the table is made harmless."""
    cells = [_shown(column.type, ZoneInfo(zone)) for column in columns]
    lines = [["" if v is None else cell(v) for v, cell in zip(row, cells, strict=True)] for row in rows]
    names = [printable(column.name) for column in columns]
    widths = [max(map(len, column)) for column in zip(names, *lines, strict=True)]
    rights = [column.type in _RIGHT for column in columns]
    yield _aligned(names, widths, rights)
    yield "  ".join("─" * width for width in widths) + "\n"
    for line in lines:
        yield _aligned(line, widths, rights)
    yield f"({len(rows)} row{'' if len(rows) == 1 else 's'})\n"


def _aligned(cells: Sequence[str], widths: Sequence[int], rights: Sequence[bool]) -> str:
    padded = (cell.rjust(width) if right else cell.ljust(width)
              for cell, width, right in zip(cells, widths, rights, strict=True))
    return "  ".join(padded).rstrip() + "\n"


def _json(columns: Sequence[Column], rows: Sequence[Row], _: str) -> Iterator[str]:
    cells = _cells(columns, {"timestamp": iso, "interval": _duration})
    names = [column.name for column in columns]
    for row in rows:
        values = [None if v is None else cell(v) for v, cell in zip(row, cells, strict=True)]
        yield msgspec.json.encode(dict(zip(names, values, strict=True))).decode() + "\n"


def _csv(columns: Sequence[Column], rows: Sequence[Row], _: str, *, safe: bool = False) -> Iterator[str]:
    lines: list[str] = []
    writer = csv.writer(_Lines(lines), lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC if safe else csv.QUOTE_MINIMAL)
    checked: Callable[[list[Any]], list[Any]] = neutralise_row if safe else list
    cells = _cells(columns, {
        "timestamp": iso, "interval": _duration, "bool": lambda value: "true" if value else "false",
        "json": lambda value: msgspec.json.encode(value).decode(),
    })  # fmt: skip
    writer.writerow(checked([column.name for column in columns]))
    for row in rows:
        writer.writerow(checked(["" if v is None else cell(v) for v, cell in zip(row, cells, strict=True)]))
        yield from lines
        lines.clear()
    yield from lines


class _Lines:
    """What `csv.writer` writes to."""

    def __init__(self, lines: list[str]) -> None:
        self.write = lines.append


def _cells(columns: Sequence[Column], special: Mapping[str, Cell]) -> list[Cell]:
    return [special.get(column.type, _same) for column in columns]


def _same(value: Any) -> Any:
    return value


def _shown(type_: str, zone: ZoneInfo) -> Callable[[Any], str]:
    match type_:
        case "timestamp":
            return lambda us: local_text(us, zone, "%Y-%m-%d %H:%M:%S")
        case "interval":
            return _duration
        case "bool":
            return lambda value: "true" if value else "false"
        case "json":
            return lambda value: printable(msgspec.json.encode(value).decode())
    return lambda value: printable(str(value))


def _duration(us: int) -> str:
    """ISO 8601, in seconds: PT90S."""
    seconds, rest = divmod(abs(us), 1_000_000)
    fraction = f".{rest:06d}".rstrip("0") if rest else ""
    return f"{'-' if us < 0 else ''}PT{seconds}{fraction}S"


FORMATS: dict[str, Callable[[Sequence[Column], Sequence[Row], str], Iterator[str]]] = {
    "table": _table, "json": _json, "csv": _csv, "safe csv": partial(_csv, safe=True),
}
CHOICES = ("table", "json", "csv")
