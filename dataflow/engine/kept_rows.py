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


class Kept:
    """`columns` are the relation's, with their types."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        self._floats = [at for at, type in enumerate(columns.values()) if type == "float"]
        self._counts: dict[Key, int] = {}

    def rows(self) -> Iterator[Row]:
        """All of them, each as often as it is there."""
        for key, count in self._counts.items():
            row = key.row if isinstance(key, Signed) else key
            for _ in range(count):
                yield row

    def settle(self, plus: Sequence[Row], minus: Sequence[Row]) -> tuple[Sequence[Row], Sequence[Row]]:
        """A change as it will be made: its NaN made one, and what goes as it was put, where only the sign of a zero
        differs. Raises ValueError for a row that is not there.
        """
        plus = self._one_nan(plus)
        return plus, self._found(plus, self._one_nan(minus)) if minus else minus

    def add(self, rows: Iterable[Row], sign: int = 1) -> None:
        """Settled rows in, or out."""
        counts = self._counts
        for row in rows:
            key = self._key(row)
            count = counts.get(key, 0) + sign
            if count:
                counts[key] = count
            else:
                del counts[key]

    def _one_nan(self, rows: Sequence[Row]) -> Sequence[Row]:
        floats = self._floats
        if not any(row[at] != row[at] for row in rows for at in floats):
            return rows
        return [tuple(NAN if value != value else value for value in row) for row in rows]  # noqa: PLR0124  (NaN)

    def _key(self, row: Row) -> Key:
        places = [at for at in self._floats if row[at] == 0.0 and copysign(1.0, row[at]) < 0.0]
        return Signed(row, tuple(places)) if places else row

    def _found(self, plus: Sequence[Row], minus: Sequence[Row]) -> list[Row]:
        """The rows that go, as they are."""
        left: dict[Key, int] = {}
        for row in plus:
            key = self._key(row)
            left[key] = left.get(key, 0) + 1
        found = []
        for row in minus:
            key = self._there(row, left)
            left[key] = left.get(key, 0) - 1
            found.append(key.row if isinstance(key, Signed) else key)
        return found

    def _there(self, row: Row, also: Mapping[Key, int]) -> Key:
        for key in self._alike(row, also):
            if self._counts.get(key, 0) + also.get(key, 0) > 0:
                return key
        raise ValueError(f"a row is retracted that is not there: {row!r:.200}")

    def _alike(self, row: Row, also: Iterable[Key]) -> Iterator[Key]:
        """The row's own key, and where zeros are in it, those that are equal but for a sign."""
        yield self._key(row)
        if any(row[at] == 0.0 for at in self._floats):
            yield from (key for key in (*self._counts, *also) if (key.row if isinstance(key, Signed) else key) == row)
