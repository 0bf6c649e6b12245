"""The rows of a relation that is kept whole, each as often as it is there, told apart to the last bit.

NaN is one object, `NAN`, so that a row with it equals itself, in whatever dict it stands. 0.0 and -0.0 are equal, as in
SQL, but they are kept apart, since 1 / x and a text show which it is: a late query sees what an early one saw.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import copysign
from typing import NamedTuple

from dataflow.sql.runtime.numbers import NAN
from dataflow.zset import Row


class Signed(NamedTuple):
    """The key of a row that holds -0.0, at `places`."""

    row: Row
    places: tuple[int, ...]


Key = Row | Signed


class KeptRows:
    """The rows of one relation, of these columns and types. `add` and `remove` change them, `settle` does not."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        self._floats = [at for at, type in enumerate(columns.values()) if type == "float"]
        self._counts: dict[Key, int] = {}

    def rows(self) -> Iterator[Row]:
        """Yield all rows, each as often as it is there."""
        for key, count in self._counts.items():
            row = _row(key)
            for _ in range(count):
                yield row

    def settle(self, plus: Sequence[Row], minus: Sequence[Row]) -> tuple[Sequence[Row], Sequence[Row]]:
        """Return a change as it will be made: every NaN the one object, and what goes as it was put in.

        The sign of a zero may differ in what goes. Raises ValueError for a row that is not there.
        """
        plus = self._unify_nan(plus)
        return plus, self._find(plus, self._unify_nan(minus)) if minus else minus

    def add(self, rows: Iterable[Row]) -> None:
        """Put settled rows in."""
        counts = self._counts
        for row in rows:
            key = self._key(row)
            counts[key] = counts.get(key, 0) + 1

    def remove(self, rows: Iterable[Row]) -> None:
        """Take settled rows out, which are there."""
        counts = self._counts
        for row in rows:
            key = self._key(row)
            if counts[key] > 1:
                counts[key] -= 1
            else:
                del counts[key]

    def _unify_nan(self, rows: Sequence[Row]) -> Sequence[Row]:
        floats = self._floats
        if not any(row[at] != row[at] for row in rows for at in floats):
            return rows
        return [tuple(NAN if value != value else value for value in row) for row in rows]  # noqa: PLR0124  (NaN)

    def _key(self, row: Row) -> Key:
        places = [at for at in self._floats if row[at] == 0.0 and copysign(1.0, row[at]) < 0.0]
        return Signed(row, tuple(places)) if places else row

    def _find(self, plus: Sequence[Row], minus: Sequence[Row]) -> list[Row]:
        """Return the rows that go, as they stand after `plus` has been put in."""
        change: dict[Key, int] = {}
        for row in plus:
            key = self._key(row)
            change[key] = change.get(key, 0) + 1
        removed = []
        for row in minus:
            key = self._find_key(row, change)
            change[key] = change.get(key, 0) - 1
            removed.append(_row(key))
        return removed

    def _find_key(self, row: Row, change: Mapping[Key, int]) -> Key:
        for key in self._equal_keys(row, change):
            if self._counts.get(key, 0) + change.get(key, 0) > 0:
                return key
        raise ValueError(f"a row is retracted that is not there: {row!r:.200}")

    def _equal_keys(self, row: Row, change: Iterable[Key]) -> Iterator[Key]:
        """Yield the row's own key, and where zeros are in it, those that are equal but for a sign."""
        yield self._key(row)
        if any(row[at] == 0.0 for at in self._floats):
            yield from (key for key in (*self._counts, *change) if _row(key) == row)


def _row(key: Key) -> Row:
    return key.row if isinstance(key, Signed) else key
