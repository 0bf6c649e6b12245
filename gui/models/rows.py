"""The rows that a view shows, and how each change to them looks to a view: no Qt.

`plan` turns an engine's splices into the fewest *edits* that a view understands: `Change` (rows replaced in
place: the view only repaints them), `Remove` and `Insert` (ranges: the view shifts, and keeps selection and
position). A splice that replaces n rows by m is a change of what both have in common and one insert or remove
at its end; equal rows at either end of it are not touched. Edits come in order, each relative to the rows
after the ones before it. Where a batch would make more than `most` inserts and removes, it is drawn together
into one splice over what differs.

Invariant: `RowStore.rows` after `apply` of all edits equals the splices applied to the rows before
(`dataflow.zset.apply_splices`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from dataflow.zset import Row, Splice, apply_splices


class Change(NamedTuple):
    """From `first`, as many rows as `rows` holds are replaced."""

    first: int
    rows: Sequence[Row]


class Insert(NamedTuple):
    """`rows` come in before the row at `first`."""

    first: int
    rows: Sequence[Row]


class Remove(NamedTuple):
    """`gone` rows from `first` go."""

    first: int
    gone: int


Edit = Change | Insert | Remove


class RowStore:
    """The rows, in order."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def __len__(self) -> int:
        return len(self.rows)

    def plan(self, splices: Sequence[Splice], *, most: int = 64) -> Iterator[Edit]:
        """The edits that bring the rows up to date. Each must be applied before the next is asked for."""
        if _structural(splices) > most:
            splices = [self._merged(splices)]
        for splice in splices:
            yield from self._edits(splice)

    def apply(self, edit: Edit) -> None:
        """Carry out one edit."""
        match edit:
            case Change(first, rows):
                self.rows[first : first + len(rows)] = rows
            case Insert(first, rows):
                self.rows[first:first] = rows
            case Remove(first, gone):
                del self.rows[first : first + gone]

    def holds(self, wanted: Mapping[int, object], key: Callable[[Row], object]) -> bool:
        """Whether each wanted row still stands where it stood."""
        return all(at < len(self.rows) and key(self.rows[at]) == value for at, value in wanted.items())

    def find(self, wanted: Mapping[int, object], key: Callable[[Row], object]) -> dict[int, int]:
        """From where each wanted row stood to where one with its key stands now, the nearest; without those gone."""
        places: dict[object, list[int]] = {value: [] for value in wanted.values()}
        for at, row in enumerate(self.rows):
            if (found := places.get(key(row))) is not None:
                found.append(at)
        return {at: _nearest(places[value], at) for at, value in wanted.items() if places[value]}

    def _edits(self, splice: Splice) -> Iterator[Edit]:
        old, new = self.rows[splice.at : splice.at + splice.removed], splice.rows
        head, tail = _common(old, new)
        first = splice.at + head
        removed, added = len(old) - head - tail, len(new) - head - tail
        both = min(removed, added)
        if both:
            yield Change(first, new[head : head + both])
        if removed > both:
            yield Remove(first + both, removed - both)
        if added > both:
            yield Insert(first + both, new[head + both : head + added])

    def _merged(self, splices: Sequence[Splice]) -> Splice:
        after = list(self.rows)
        apply_splices(after, splices)
        return Splice(0, len(self.rows), tuple(after))


def runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(first, last) of each stretch of ascending places without a hole."""
    start = 0
    for at in range(1, len(places) + 1):
        if at == len(places) or places[at] != places[at - 1] + 1:
            yield places[start], places[at - 1]
            start = at


def _nearest(places: Sequence[int], at: int) -> int:
    """Of ascending places the one nearest to `at`."""
    after = bisect_left(places, at)
    return min(places[max(0, after - 1) : after + 1], key=lambda place: abs(place - at))


def _structural(splices: Sequence[Splice]) -> int:
    return sum(1 for splice in splices if splice.removed != len(splice.rows))


def _common(old: Sequence[Row], new: Sequence[Row]) -> tuple[int, int]:
    """How many rows are equal at the start and, of the rest, at the end."""
    most = min(len(old), len(new))
    head = next((at for at in range(most) if old[at] != new[at]), most)
    rest = most - head
    tail = next((at for at in range(rest) if old[-1 - at] != new[-1 - at]), rest)
    return head, tail
