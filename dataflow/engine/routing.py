"""Rows into a relation's sources: confirmed rows parted from pending ones, inserted from retracted, one event type
from another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dataflow.engine.operators.node import NONE, Rows, Source
from dataflow.sql.runtime.json_values import shallow_text
from dataflow.zset import Row

KindSource = tuple[Source, tuple[str, ...]]


class Put(NamedTuple):
    """One push: rows inserted (`confirmed`, and pending ones `held`) and retracted (pending `released`, others
    `undone`).
    """

    relation: str
    confirmed: Rows = NONE
    held: Rows = NONE
    released: Rows = NONE
    undone: Rows = NONE


class Texts:
    """Makes the JSON values of one relation's rows into text, which can be compared and counted; NULL stays NULL, and
    what is nested too deeply becomes it.
    """

    def __init__(self, columns: Mapping[str, str]) -> None:
        self.places = [at for at, type in enumerate(columns.values()) if type == "json"]

    def __call__(self, rows: Rows) -> Rows:
        if not self.places or all(row[at] is None for row in rows for at in self.places):
            return rows
        return [self._row(row) for row in rows]

    def _row(self, row: Row) -> Row:
        cells = list(row)
        for at in self.places:
            if cells[at] is not None:
                cells[at] = shallow_text(cells[at])
        return tuple(cells)


class Inlet:
    """Knows where `events` keeps a row's type, and whether it is pending."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        names = list(columns)
        self.pending_at = names.index("pending") if "pending" in names else None
        self.type_at = names.index("type") if "type" in names else 0
        self.position_at = names.index("position") if "position" in names else None

    def parted(self, rows: Rows, weights: Sequence[int] | None) -> Put:
        """A push into `events`."""
        at = self.pending_at
        if weights is None:
            held = [row for row in rows if row[at]] if at is not None else NONE
            return (
                Put("events", [row for row in rows if not row[at]], held)
                if held and at is not None
                else Put("events", rows)
            )
        plus, minus = weighed(rows, weights)
        if at is None:
            return Put("events", plus, undone=minus)
        held, released = [row for row in plus if row[at]], [row for row in minus if row[at]]
        return Put("events", [r for r in plus if not r[at]], held, released, [r for r in minus if not r[at]])

    def lay(self, put: Put, plain: Sequence[Source], kinds: Sequence[KindSource]) -> tuple[Source, ...]:
        """The rows in the sources; those that got any."""
        for source in plain:
            source.put(*put[1:])
        if not kinds:
            return tuple(plain)
        routed = [self._by_type(rows) if rows else {} for rows in put[1:]]
        found = list(plain)
        for source, names in kinds:
            parts = [_picked(by_type, names) for by_type in routed]
            if any(parts):
                source.put(*parts)
                found.append(source)
        return tuple(found)

    def lay_kinds(self, rows: Rows, plain: Sequence[Source], kinds: Sequence[KindSource]) -> tuple[Source, ...]:
        """Confirmed rows in the sources of the event types that there are; these and the plain ones."""
        by_type = self._by_type(rows)
        found = list(plain)
        for source, names in kinds:
            part = _picked(by_type, names)
            if part:
                source.plus = source.confirmed = part
                found.append(source)
        return tuple(found)

    def _by_type(self, rows: Rows) -> dict[Any, list[Row]]:
        found: dict[Any, list[Row]] = {}
        at = self.type_at
        for row in rows:
            kind = row[at]
            if kind in found:
                found[kind].append(row)
            else:
                found[kind] = [row]
        return found

    def until(self, rows: Rows, position: int) -> Rows:
        """Those rows of a chunk of history that are not beyond `position`."""
        at = self.position_at
        if at is None or not rows or rows[-1][at] <= position:
            return rows
        return [row for row in rows if row[at] <= position]

    def last(self, rows: Rows, position: int) -> int:
        """The last position, `position` being the one before."""
        at = self.position_at
        return position if at is None or not rows else max(position, rows[-1][at])


def _picked(by_type: Mapping[Any, list[Row]], names: tuple[str, ...]) -> Rows:
    if len(names) == 1:
        return by_type.get(names[0], NONE)
    return [row for name in names for row in by_type.get(name, NONE)]


def weighed(rows: Rows, weights: Sequence[int]) -> tuple[list[Row], list[Row]]:
    """Rows inserted and rows retracted, each as often as its weight."""
    plus: list[Row] = []
    minus: list[Row] = []
    for row, weight in zip(rows, weights, strict=True):
        (plus if weight > 0 else minus).extend([row] * abs(weight))
    return plus, minus


def count(counts: dict[Row, int], rows: Iterable[Row], sign: int) -> None:
    """Count rows in or out; what is not there is not kept."""
    for row in rows:
        number = counts.get(row, 0) + sign
        if number:
            counts[row] = number
        else:
            counts.pop(row, None)


def spread(counts: Mapping[Row, int]) -> Iterator[Row]:
    return (row for row, number in counts.items() for _ in range(number))
