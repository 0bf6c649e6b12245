"""Events as CSV: one row an event, the header names the columns.

Reading: all rows are of one event type; a column is the time's, a declared field of the type, or `id`,
`source`, `subject`, `authid`, `causationid`. An empty value is no value. A row without an id gets one that is
told from its text, its line and the header, so that a file that is read again, or has grown at its end, gives
the same ids. Writing: the events of a board, of all types: the envelope, then every field that the board
declares.
"""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, tzinfo
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import msgspec

from dataflow.exchange.csv_rows import BadRow, CsvRow, records
from dataflow.exchange.lines import FileError, Progress
from dataflow.exchange.spreadsheet import neutralise_row
from dataflow.text.hints import suggest
from dataflow.times import iso, parse
from storage.event import HOLDS_NUL, Event, holds_nul
from storage.ids import uuid8

ENVELOPE = ("position", "id", "source", "type", "subject", "time", "authid", "causationid", "seen")
_GIVEN = ("id", "source", "subject", "authid", "causationid")
_BOOLS = {"true": True, "false": False}
_TOGETHER = 4000


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """How rows become events: `fields` are the type's declared ones; a time without an offset is `zone`'s."""

    type: str
    time: str
    fields: Mapping[str, str]
    subject: str | None = None
    source: str = "/import"
    zone: tzinfo = UTC


class EventRow(NamedTuple):
    """A record that reads as an event."""

    line: int
    text: bytes
    event: Event


def read(path: Path, shape: Shape, progress: Progress) -> Iterator[list[EventRow | BadRow]]:
    """The rows, in batches. Raises FileError (also where the header does not fit) and CutOffError."""
    rows = records(path, progress)
    header = next(rows, None)
    if not isinstance(header, CsvRow):
        raise FileError(path, header.reason if header else "empty; the first line names the columns")
    maker = _Maker(_columns(path, header.values, shape), header.text, shape)
    while batch := list(islice(rows, _TOGETHER)):
        yield [row if isinstance(row, BadRow) else maker.make(row) for row in batch]


def write(file: TextIO, events: Iterator[Sequence[Event]], fields: Sequence[str], *, safe: bool = False) -> int:
    """Tells how many. `safe`: for a spreadsheet, which would run text as a formula; it does not read back as it was."""
    writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC if safe else csv.QUOTE_MINIMAL)
    writer.writerow([*ENVELOPE, *fields])
    count = 0
    for chunk in events:
        cells = (_cells(event, fields) for event in chunk)
        writer.writerows(map(neutralise_row, cells) if safe else cells)
        count += len(chunk)
    return count


def _columns(path: Path, names: Sequence[str], shape: Shape) -> list[str]:
    names = [name.strip() for name in names]
    known = [shape.time, *shape.fields, *_GIVEN]
    for name in names:
        if name not in known:
            raise FileError(path, f"line 1: {shape.type} has no field {name!r}; {suggest(name, known)}")
        if names.count(name) > 1:
            raise FileError(path, f"line 1: two columns are named {name!r}; rename one")
    if shape.time not in names:
        raise FileError(path, f"line 1: no column {shape.time!r} for the time; {suggest(shape.time, names)}")
    return names


class _Maker:
    """Makes an event of each row."""

    def __init__(self, names: Sequence[str], header: bytes, shape: Shape) -> None:
        self._names = names
        self._header = shape.type.encode() + b"\n" + header + b"\n"
        self._shape = shape
        columns, fields = list(enumerate(names)), shape.fields
        zone = shape.zone
        self._readers = [(i, name, _reader(fields[name], zone)) for i, name in columns if name in fields]
        self._given = [(i, name) for i, name in columns if name in _GIVEN and name not in fields]
        self._time = names.index(shape.time)

    def make(self, row: CsvRow) -> EventRow | BadRow:
        if len(row.values) != len(self._names):
            reason = f"{len(row.values)} values, but the header names {len(self._names)} columns"
            return BadRow(row.line, row.text, reason)
        try:
            return EventRow(row.line, row.text, self._event(row))
        except _ValueError as error:
            return BadRow(row.line, row.text, str(error))

    def _event(self, row: CsvRow) -> Event:
        time = self._moment(row.values[self._time])
        data = {name: read(name, row.values[i]) for i, name, read in self._readers if row.values[i].strip()}
        given: dict[str, Any] = {name: text for i, name in self._given if (text := row.values[i].strip())}
        given.setdefault("id", self._id(row, time))
        given.setdefault("source", self._shape.source)
        if self._shape.subject in data:
            given.setdefault("subject", str(data[self._shape.subject]))
        if holds_nul(*given.values()):
            raise _ValueError(f"an id, source or subject {HOLDS_NUL}")
        return Event(type=self._shape.type, time=time, data=msgspec.json.encode(data), **given)

    def _moment(self, text: str) -> int:
        if not text.strip():
            raise _ValueError(f"column {self._shape.time}: no time")
        return _timestamp(self._shape.time, text, self._shape.zone)

    def _id(self, row: CsvRow, time: int) -> str:
        whole = self._header + b"%d\n" % row.line + row.text
        return uuid8(time, hashlib.blake2b(whole, digest_size=8).digest())


class _ValueError(Exception):
    """A value that does not read as its column's type."""


_Reader = Callable[[str, str], Any]


def _reader(type: str, zone: tzinfo) -> _Reader:
    if type == "timestamp":
        return lambda name, text: iso(_timestamp(name, text, zone))
    return _READERS[type]


def _timestamp(name: str, text: str, zone: tzinfo) -> int:
    try:
        return parse(text, zone)
    except (ValueError, OverflowError):
        raise _wrong(name, text, "a time (ISO 8601)") from None


def _int(name: str, text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise _wrong(name, text, "a whole number") from None
    if not -(2**63) <= value < 2**63:
        raise _wrong(name, text, "a whole number (64 bits)")
    return value


def _float(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _wrong(name, text, "a number")
    return value


def _bool(name: str, text: str) -> bool:
    try:
        return _BOOLS[text.strip().lower()]
    except KeyError:
        raise _wrong(name, text, "true or false") from None


def _json(name: str, text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise _wrong(name, text, "JSON") from None


def _text(name: str, text: str) -> str:
    return text


_READERS: dict[str, _Reader] = {"text": _text, "int": _int, "float": _float, "bool": _bool, "json": _json}


def _wrong(name: str, text: str, wanted: str) -> _ValueError:
    shown = text if len(text) <= 40 else text[:39] + "…"
    return _ValueError(f"column {name}: expected {wanted}, found {shown!r}")


def _cells(event: Event, fields: Sequence[str]) -> list[Any]:
    data = _data(event)
    cells = [event.position, event.id, event.source, event.type, event.subject, iso(event.time)]
    return [*cells, event.authid, event.causationid, event.seen, *(_cell(data.get(name)) for name in fields)]


def _data(event: Event) -> dict[str, Any]:
    """By field. A number that Python does not hold, in a field that nobody declared, is its own text."""
    try:
        data: dict[str, Any] = msgspec.json.decode(event.data)
    except msgspec.DecodeError:
        pieces = msgspec.json.decode(event.data, type=dict[str, msgspec.Raw])
        return {name: _decoded(bytes(piece)) for name, piece in pieces.items()}
    return data


def _decoded(piece: bytes) -> Any:
    try:
        return msgspec.json.decode(piece)
    except msgspec.DecodeError:
        return piece.decode()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    return value
