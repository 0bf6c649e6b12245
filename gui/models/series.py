"""The lines of a chart, read from rows; what of them is drawn, and what stands at a given x. Pure, no Qt.

A line is two lists, x ascending. Where y is NULL there is a gap. However many points a line has, `thinned`
leaves at most four a pixel column: the first, the lowest, the highest and the last in it (M4, Jugel et al.,
VLDB 2014), which draws the same picture.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dataflow.zset import Row
from gui.models.numbers import all_finite, finite, linear

Run = tuple[list[float], list[float]]


@dataclass(slots=True)
class Line:
    """One series: x ascending, y or None at each."""

    xs: list[float] = field(default_factory=list)
    ys: list[float | None] = field(default_factory=list)

    def last(self) -> tuple[float, float] | None:
        """The last known point."""
        for x, y in zip(reversed(self.xs), reversed(self.ys), strict=True):
            if y is not None:
                return x, y
        return None

    def at(self, x: float) -> float | None:
        """What was last known at x; None before the first point and in a gap."""
        place = bisect_right(self.xs, x)
        return self.ys[place - 1] if place else None

    def runs(self) -> Iterable[Run]:
        """The stretches between gaps."""
        if None not in self.ys:
            yield self.xs, [y for y in self.ys if y is not None]
            return
        xs: list[float] = []
        ys: list[float] = []
        for x, y in zip(self.xs, self.ys, strict=True):
            if y is not None:
                xs.append(x)
                ys.append(y)
            elif xs:
                yield xs, ys
                xs, ys = [], []
        if xs:
            yield xs, ys


def read(rows: Iterable[Row], x: int, y: int, series: int | None) -> dict[str, Line]:
    """Lines by name, in the order in which they first appear. x and y are places of number columns."""
    found: dict[Any, Line] = {}
    for row in rows:
        name = "" if series is None else row[series]
        line = found.get(name)
        if line is None:
            line = found[name] = Line()
        line.xs.append(row[x])
        line.ys.append(row[y])
    for line in found.values():
        _clean(line)
    return {"–" if name is None else str(name): line for name, line in found.items() if line.xs}


def extent(lines: Mapping[str, Line]) -> tuple[float, float, float, float] | None:
    """(lowest x, highest x, lowest y, highest y) of all lines; None where there is no point."""
    drawn = [line for line in lines.values() if line.last() is not None]
    if not drawn:
        return None
    ys = [y for line in drawn for y in line.ys if y is not None]
    return min(line.xs[0] for line in drawn), max(line.xs[-1] for line in drawn), min(ys), max(ys)


def nearest(lines: Mapping[str, Line], x: float) -> float | None:
    """The x of the point nearest to x, of any line."""
    near = [line.xs[at] for line in lines.values() for at in _beside(line.xs, x)]
    return min(near, key=lambda found: abs(found - x), default=None)


def step(lines: Mapping[str, Line], x: float, by: int) -> float:
    """The next x (by = 1) or the one before (by = −1) that any line has a point at; else x itself."""
    if by > 0:
        later = [line.xs[at] for line in lines.values() if (at := bisect_right(line.xs, x)) < len(line.xs)]
        return min(later, default=x)
    earlier = [line.xs[at - 1] for line in lines.values() if (at := bisect_left(line.xs, x))]
    return max(earlier, default=x)


def thinned(run: Run, low: float, high: float, columns: int) -> Run:
    """The run, at most four points a pixel column of [low, high], which holds it."""
    xs, ys = run
    if len(xs) <= 4 * columns or high <= low:
        return run
    kept_x: list[float] = []
    kept_y: list[float] = []
    _, origin, unit, scale = linear(min(low, xs[0]), max(high, xs[-1]), 0, columns)
    first, column = 0, int((xs[0] * unit - origin) * scale)
    for at in range(1, len(xs) + 1):
        now = int((xs[at] * unit - origin) * scale) if at < len(xs) else -1
        if now != column:
            for place in _corners(ys, first, at):
                kept_x.append(xs[place])
                kept_y.append(ys[place])
            first, column = at, now
    return kept_x, kept_y


def _corners(ys: Sequence[float], first: int, end: int) -> list[int]:
    if end - first <= 4:
        return list(range(first, end))
    part = ys[first:end]
    return sorted({first, first + part.index(min(part)), first + part.index(max(part)), end - 1})


def _clean(line: Line) -> None:
    """No point whose x is no finite number; x ascending; where y is none, a gap. Costs little where all is well."""
    if not all_finite(line.xs):
        known = [(x, y) for x, y in zip(map(finite, line.xs), line.ys, strict=True) if x is not None]
        line.xs, line.ys = [x for x, _ in known], [y for _, y in known]
    if not all_finite(line.ys):
        line.ys = [finite(y) for y in line.ys]
    if line.xs != sorted(line.xs):
        order = sorted(range(len(line.xs)), key=line.xs.__getitem__)
        line.xs, line.ys = [line.xs[at] for at in order], [line.ys[at] for at in order]


def _beside(xs: Sequence[float], x: float) -> list[int]:
    at = bisect_left(xs, x)
    return [place for place in (at - 1, at) if 0 <= place < len(xs)]
