"""The records of a CSV file (RFC 4180, UTF-8), each with its line and its text; one bad record costs only
itself.

A quote that is never closed would swallow all lines after it: then only its own line is bad, and reading goes
on with the next one.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dataflow.exchange.lines import LONGEST, Progress, blocks


class CsvRow(NamedTuple):
    """A record: the number of its first line, its text, its values."""

    line: int
    text: bytes
    values: list[str]


class BadRow(NamedTuple):
    """A record that does not read, and why."""

    line: int
    text: bytes
    reason: str


def records(path: Path, progress: Progress) -> Iterator[CsvRow | BadRow]:
    """All but blank ones. Raises FileError and CutOffError."""
    feed = _Feed(path, progress)
    reader = csv.reader(feed, strict=True)
    while True:
        feed.taken.clear()
        try:
            values = next(reader)
        except StopIteration:
            yield from feed.bad()
            return
        except csv.Error as error:
            yield from feed.bad()
            yield BadRow(*feed.give_back(), f"not CSV: {error}")
            continue
        yield from feed.bad()
        if values:
            line, _ = feed.taken[0]
            yield CsvRow(line, b"\n".join(text for _, text in feed.taken), values)


class _Feed:
    """Gives the reader its lines as text, and remembers those that it took for the present record."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self.taken: list[tuple[int, bytes]] = []
        self._lines = (
            (number, line.removesuffix(b"\r"))
            for each in blocks(path, progress)
            for number, line in enumerate(each.lines, each.first)
        )
        self._again: deque[tuple[int, bytes]] = deque()
        self._bad: list[BadRow] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while True:
            number, line = self._again.popleft() if self._again else next(self._lines)
            if len(line) > LONGEST:
                self._bad.append(BadRow(number, line, f"longer than {LONGEST} bytes"))
                continue
            try:
                text = line.decode()
            except UnicodeDecodeError as error:
                self._bad.append(BadRow(number, line, f"not UTF-8: {error.reason} at byte {error.start}"))
                continue
            self.taken.append((number, line))
            return text + "\n"

    def give_back(self) -> tuple[int, bytes]:
        """The present record is bad: keep its first line only, and read the others again."""
        first, *others = self.taken
        self._again.extendleft(reversed(others))
        return first

    def bad(self) -> list[BadRow]:
        """Lines that never reached the reader, since this was asked last."""
        bad, self._bad = self._bad, []
        return bad
