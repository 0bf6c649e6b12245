"""Import and export: events between files and the log.

Import streams at bounded memory, and is idempotent: an event that the log knows is counted as already there,
and a CSV row's id is told from its text, line and header. What cannot be taken goes to quarantine with its
line and the reason, and the rest goes on. Reading, decoding and checking run beside the log's writer, a few
batches ahead of it.
"""

from __future__ import annotations

import gzip
import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from dataflow.exchange import csv_events
from dataflow.exchange.csv_events import Shape
from dataflow.exchange.csv_rows import BadRow
from dataflow.exchange.lines import LONGEST, CutOffError, FileError, Lines, Progress, blocks
from storage.cloudevents import decode, encode
from storage.errors import CloudEventError
from storage.event import Event, LoggedEvent
from storage.log import OTHER, Appended, EventLog
from storage.quarantine import Quarantine, Quarantined

Check = Callable[[Event], str | None]
"""Why an event does not fit the board's declared fields, or None."""

_AHEAD = 3  # batches on their way to the disk
_KINDS = 50  # reasons that are counted apart
_SPECIFIC = re.compile(r", found .*| at byte .*| \(byte .*|: '.*")


class Reason(msgspec.Struct):
    """How often one reason came up, and where first."""

    count: int
    place: str


class Imported(msgspec.Struct):
    """What became of a file's events. `damage` is why reading ended before the file's end, if it did."""

    new: int = 0
    already: int = 0
    quarantined: int = 0
    reasons: dict[str, Reason] = {}
    damage: str | None = None


def nothing(done: int, size: int) -> None:
    """No progress shown."""


def import_ndjson(
    path: Path, log: EventLog, quarantine: Quarantine, check: Check, progress: Progress = nothing
) -> Imported:
    """CloudEvents in JSON, one a line; `.gz` is told by its content. Raises FileError, StorageError."""
    imported = _Import(path, log, quarantine, check)
    try:
        for lines in blocks(path, progress):
            _take_lines(imported, lines)
            imported.send()
    except CutOffError as cut:
        imported.cut_off(cut)
    return imported.finish()


def import_csv(
    path: Path,
    log: EventLog,
    quarantine: Quarantine,
    check: Check,
    shape: Shape,
    progress: Progress = nothing,
) -> Imported:
    """One event a row, all of one type. Raises FileError (the header does not fit, say), StorageError."""
    imported = _Import(path, log, quarantine, check)
    try:
        for rows in csv_events.read(path, shape, progress):
            for row in rows:
                if isinstance(row, BadRow):
                    imported.refuse(row.line, row.text, row.reason)
                else:
                    imported.take(row.line, row.text, row.event)
            imported.send()
    except CutOffError as cut:
        imported.cut_off(cut)
    return imported.finish()


def export_ndjson(path: Path, log: EventLog, progress: Progress = nothing) -> int:
    """CloudEvents in JSON, one a line, compressed if the name ends in `.gz`; tells how many. Raises
    FileError.
    """

    def lines(file: BinaryIO) -> int:
        packed = cast(BinaryIO, gzip.GzipFile("", "wb", 6, file, mtime=0)) if path.suffix == ".gz" else file
        count = 0
        for chunk in _read_log(log, progress):
            packed.write(b"".join([encode(event) + b"\n" for event in chunk]))
            count += len(chunk)
        if packed is not file:
            packed.close()
        return count

    return _replace_file(path, lines)


def export_csv(
    path: Path, log: EventLog, fields: Sequence[str], progress: Progress = nothing, *, safe: bool = False
) -> int:
    """One row an event: the envelope, then `fields`; tells how many. `safe`: no cell is a formula. Raises FileError."""

    def rows(file: BinaryIO) -> int:
        text = TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        count = csv_events.write(text, _read_log(log, progress), fields, safe=safe)
        text.detach()
        return count

    return _replace_file(path, rows)


def _read_log(log: EventLog, progress: Progress) -> Iterator[list[LoggedEvent]]:
    last = log.last()
    for chunk in log.read(until=last):
        yield chunk
        progress(chunk[-1].position, last)


def _replace_file(path: Path, write: Callable[[BinaryIO], int]) -> int:
    """Write beside `path` and put it in place when it is whole, so that there is never half a file."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            count = write(file)
        part.replace(path)
    except OSError as error:
        raise FileError(path, f"cannot be written ({error.strerror or error}); check the place") from None
    finally:
        part.unlink(missing_ok=True)
    return count


def _take_lines(imported: _Import, lines: Lines) -> None:
    take, refuse = imported.take, imported.refuse
    for number, line in enumerate(lines.lines, lines.first):
        if len(line) > LONGEST:
            refuse(number, line[:LONGEST], f"longer than {LONGEST} bytes")
            continue
        try:
            event = decode(line)
        except CloudEventError as error:
            if line.strip():
                refuse(number, line, error.reason)
            continue
        take(number, line, event)


class _Import:
    """Collects a batch, sends it to the log and to quarantine, and counts."""

    def __init__(self, path: Path, log: EventLog, quarantine: Quarantine, check: Check) -> None:
        self._name = path.name.encode(errors="backslashreplace").decode()
        self._log = log
        self._quarantine = quarantine
        self._check = check
        self._events: list[Event] = []
        self._refused: list[Quarantined] = []
        self._ahead: list[tuple[Future[Appended], Future[None] | None]] = []
        self._imported = Imported()

    def take(self, line: int, text: bytes, event: Event) -> None:
        reason = self._check(event)
        if reason is None:
            self._events.append(event)
        else:
            self.refuse(line, text, reason)

    def refuse(self, line: int, text: bytes, reason: str) -> None:
        origin = f"{self._name}:{line}"
        now = time.time_ns() // 1000
        self._refused.append(Quarantined(reason=reason, text=text, time=now, origin=origin))
        self._count(reason, origin)

    def cut_off(self, cut: CutOffError) -> None:
        if cut.text:
            self.refuse(cut.line, cut.text, cut.reason)
        self._imported.damage = f"{self._name}:{cut.line}: {cut.reason}; get the file again and import that"

    def send(self) -> None:
        refused = self._quarantine.add(self._refused) if self._refused else None
        self._ahead.append((self._log.append(self._events, self._name), refused))
        self._events, self._refused = [], []
        while len(self._ahead) > _AHEAD:
            self._settle()

    def finish(self) -> Imported:
        self.send()
        while self._ahead:
            self._settle()
        return self._imported

    def _settle(self) -> None:
        appending, refusing = self._ahead.pop(0)
        appended = appending.result()
        new, others = sum(appended.new), appended.others
        self._imported.new += new
        self._imported.already += len(appended.new) - new - others
        if others:
            self._count(OTHER, self._name, others)
        if refusing is not None:
            refusing.result()

    def _count(self, reason: str, place: str, count: int = 1) -> None:
        self._imported.quarantined += count
        reasons = self._imported.reasons
        kind = _SPECIFIC.sub("", reason)
        if kind not in reasons and len(reasons) >= _KINDS:
            kind = "other reasons"
        reasons.setdefault(kind, Reason(0, place)).count += count
