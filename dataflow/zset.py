"""Z-sets: the one currency of the engine (Budiu et al., DBSP, VLDB 2023).

A *change* is `(row, weight)`: +1 inserted, −1 retracted. A *Z-set* is a set of changes. A row is a plain tuple; its
columns and their types are known to whoever made it. Values: text is `str`, int is `int`, float is `float`, bool is
`bool`, timestamp is `int` (microseconds since 1970-01-01 UTC), interval is `int` (microseconds), json, where
rows are pushed, is whatever `msgspec.json.decode` gives, and in results its text; SQL NULL is `None`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

Row = tuple[Any, ...]
Change = tuple[Row, int]


class Column(NamedTuple):
    """A result column: its name and its type (text, int, float, bool, timestamp, interval or json)."""

    name: str
    type: str


class Splice(NamedTuple):
    """A positional change to an ordered result: at row `at`, `removed` rows go and `rows` come. Applied in order."""

    at: int
    removed: int
    rows: tuple[Row, ...]


def apply_splices(rows: list[Row], splices: Iterable[Splice]) -> None:
    """Bring `rows` up to date, in place."""
    for at, removed, added in splices:
        rows[at : at + removed] = added


def difference(old: Sequence[Row], new: Sequence[Row]) -> list[Splice]:
    """One splice from `old` to `new`, over what lies between their common ends."""
    size = min(len(old), len(new))
    start = 0
    while start < size and old[start] == new[start]:
        start += 1
    end = 0
    while end < size - start and old[-1 - end] == new[-1 - end]:
        end += 1
    if start == len(old) == len(new):
        return []
    return [Splice(start, len(old) - start - end, tuple(new[start : len(new) - end]))]
