"""CSV tables beside a board: the header names the columns, and each column's type is told from all of its
values.

A column is int, float, bool or timestamp if every value in it reads as one, else text; an empty value is
NULL. Numbers with leading zeros ("007") or too long for 64 bits are text: they are codes. A timestamp is ISO
8601; without an offset it is UTC. UTF-8, with or without a byte order mark; `,` separates and `"` quotes (RFC
4180), and a quoted value may hold line breaks.

A board may name any file, and may be somebody else's: only regular files of at most `LARGEST` bytes are read, and
errors quote nothing of a file that is not in the board's own folder.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from dataflow.times import parse
from dataflow.zset import Row
from storage.regular import read_regular

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_INT = re.compile(r"[+-]?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[+-]?(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][+-]?[0-9]+)?\Z")
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?\Z")
_BOOL = {"true": True, "false": False}


LARGEST = 64 * 2**20
"""Bytes of a table's file."""
_QUOTED = 40
"""Characters of a file that an error quotes."""


class TableError(Exception):
    """A CSV file that cannot be a table: where, and what to do."""

    def __init__(self, path: Path, line: int, message: str, hint: str = "") -> None:
        super().__init__(f"{path}:{line}: {message}" + (f". {hint}" if hint else ""))
        self.path, self.line, self.message, self.hint = path, line, message, hint


class CsvTable(NamedTuple):
    """Column names with their types, in the file's order, and the rows."""

    columns: dict[str, str]
    rows: list[Row]


def read(path: Path, home: Path | None = None) -> CsvTable:
    """The table in a file, of which errors quote something only where it is below `home`: by default its own folder.

    Raises TableError.
    """
    raw = _content(path)
    quotes = path.resolve().is_relative_to((home or path.parent).resolve())
    lines = _records(path, _text(path, raw, quotes))
    names = _header(path, next(lines, None), quotes)
    texts = [_fitting(path, line, record, names) for line, record in lines]
    types, columns = zip(*(_typed([row[i] for row in texts]) for i in range(len(names))), strict=True)
    return CsvTable(dict(zip(names, types, strict=True)), list(zip(*columns, strict=True)))


def _records(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Each record that is not blank, with the line on which it begins."""
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for record in reader:
            if record:
                yield line, record
            line = reader.line_num + 1
    except csv.Error as error:
        hint = 'a `"` inside a quoted value is written `""`'
        raise TableError(path, line, f"not CSV: {error}", hint) from None


def _content(path: Path) -> bytes:
    try:
        return read_regular(path, LARGEST)
    except OSError as error:
        raise TableError(path, 0, f"cannot be read: {error.strerror or error}") from None


def _text(path: Path, raw: bytes, quotes: bool) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        what = f"not UTF-8: byte {raw[error.start]:#04x}" if quotes else "not UTF-8"
        raise TableError(path, line, what, "save it as UTF-8") from None


def _header(path: Path, first: tuple[int, list[str]] | None, quotes: bool) -> list[str]:
    if first is None:
        raise TableError(path, 1, "empty", "the first line names the columns")
    line, names = first[0], [name.strip() for name in first[1]]
    seen: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        if not _NAME.match(name):
            column = f"column name {_short(name)!r}" if quotes else f"the name of column {number}"
            raise TableError(path, line, f"{column} cannot be used in SQL", "use letters, digits and _")
        before = seen.setdefault(name.lower(), number)
        if before != number:
            columns = f"two columns are named `{_short(name)}`"
            alike = columns if quotes else f"columns {before} and {number} have one name"
            raise TableError(path, line, alike, "SQL does not tell Aa from aa")
    return names


def _short(text: str) -> str:
    return text if len(text) <= _QUOTED else f"{text[: _QUOTED - 1]}…"


def _fitting(path: Path, line: int, record: Sequence[str], names: Sequence[str]) -> Sequence[str]:
    if len(record) == len(names):
        return record
    hint = "quote values that hold a comma" if len(record) > len(names) else ""
    raise TableError(path, line, f"{len(record)} values, but the header names {len(names)} columns", hint)


def _typed(texts: Sequence[str]) -> tuple[str, list[Any]]:
    """The narrowest type that all values read as, and the values in it."""
    for type_, convert in _READERS:
        try:
            values = [convert(text.strip()) if text.strip() else None for text in texts]
        except (ValueError, KeyError):
            continue
        if any(value is not None for value in values):
            return type_, values
    return "text", [text or None for text in texts]


def _int(text: str) -> int:
    if not _INT.match(text) or not -(2**63) <= (value := int(text)) < 2**63:
        raise ValueError(text)
    return value


def _float(text: str) -> float:
    exact = not _INT.match(text) or abs(int(text)) < 2**63
    if not (exact and _FLOAT.match(text) and math.isfinite(value := float(text))):
        raise ValueError(text)
    return value


def _bool(text: str) -> bool:
    return _BOOL[text.lower()]


def _timestamp(text: str) -> int:
    if not _ISO.match(text):
        raise ValueError(text)
    return parse(text)


_READERS: tuple[tuple[str, Callable[[str], Any]], ...] = (
    ("int", _int), ("float", _float), ("bool", _bool), ("timestamp", _timestamp),
)
