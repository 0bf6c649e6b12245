"""What a regular expression may cost: an upper bound on the steps that a matcher with backtracking takes on a text.

Each part of a pattern matches in so many `ways` where it stands, and what comes after it is tried once for each of
them. So a sequence costs the sum, over its parts, of a part's own cost times the ways of all parts before it; a search
costs that once for each place of the text. The bound holds for every text of that length, whatever is in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache, reduce
from math import prod
from operator import or_
from typing import NamedTuple, Protocol

STEPS = 4_000_000
"""So many steps Python's `re` may take for one text: less than 80 ms."""
LONGEST = 1 << 24


class Part(NamedTuple):
    """A part as Python writes it. Kinds: one (of some letters), mark (of no width), open, close, or, repeat (of the
    part before it, `low` to `high` times).
    """

    kind: str
    text: str
    low: int = 0
    high: int = 0


class Shape(Protocol):
    """What a part may do on a text of `size` letters. `width`: the least that it takes; `endless`: it may take all."""

    width: int
    endless: bool

    def ways(self, size: int) -> float: ...

    def cost(self, size: int) -> float: ...


class NotBounded(ValueError):
    """The pattern's parts can't be told apart so simply, or their cost grows beyond all."""


class One:
    """One letter (`width` 1), or a place (0)."""

    endless = False

    def __init__(self, text: str, width: int) -> None:
        self.text, self.width = text, width

    def ways(self, size: int) -> float:
        return 1.0

    def cost(self, size: int) -> float:
        return 1.0


class Row:
    """Parts one after the other."""

    def __init__(self, parts: Sequence[Shape]) -> None:
        self.parts = parts
        self.width = sum(part.width for part in parts)
        self.endless = any(part.endless for part in parts)

    def ways(self, size: int) -> float:
        return prod(part.ways(size) for part in self.parts)

    def cost(self, size: int) -> float:
        total, before = 1.0, 1.0
        for part in self.parts:
            total += before * part.cost(size)
            before *= part.ways(size)
        return total


class Choice:
    """One of several rows."""

    def __init__(self, rows: Sequence[Shape]) -> None:
        self.rows = rows
        self.width = min(row.width for row in rows)
        self.endless = any(row.endless for row in rows)

    def ways(self, size: int) -> float:
        return sum(row.ways(size) for row in self.rows)

    def cost(self, size: int) -> float:
        return sum(row.cost(size) for row in self.rows) + 1


class Repeated:
    """A part `low` to `high` times. Only a part that matches in one way may stand more than once."""

    def __init__(self, part: Shape, low: int, high: int) -> None:
        if high > 1 and (not part.width or part.ways(LONGEST) != 1):
            raise NotBounded
        self.part, self.low, self.high = part, low, high
        self.width = part.width * low
        self.endless = high > LONGEST or part.endless

    def _most(self, size: int) -> int:
        return min(self.high, size // max(self.part.width, 1))

    def ways(self, size: int) -> float:
        return max(self._most(size) - self.low, 0) * self.part.ways(size) + 1.0

    def cost(self, size: int) -> float:
        return (self._most(size) + 1) * self.part.cost(size) + self.ways(size)


def shape(parts: Sequence[Part]) -> Shape:
    """The whole pattern. Raises NotBounded."""
    found, rest = _choice(parts, 0)
    if rest < len(parts):
        raise NotBounded
    return found


def _choice(parts: Sequence[Part], at: int) -> tuple[Shape, int]:
    """From there to the end, or to the ) that closes it."""
    rows: list[list[Shape]] = [[]]
    while at < len(parts) and parts[at].kind != "close":
        part, at = parts[at], at + 1
        if part.kind == "or":
            rows.append([])
        elif part.kind == "repeat":
            if not rows[-1]:
                raise NotBounded
            rows[-1].append(Repeated(rows[-1].pop(), part.low, part.high))
        elif part.kind == "open":
            inner, at = _choice(parts, at)
            if at == len(parts):
                raise NotBounded
            rows[-1].append(inner)
            at += 1
        else:
            rows[-1].append(One(part.text, part.kind == "one"))
    found = [Row(row) for row in rows]
    return (found[0] if len(found) == 1 else Choice(found)), at


def longest_text(found: Shape, starts_once: bool) -> int:
    """Up to how many letters a search, of all matches or of the whole text, stays within STEPS; −1 if it never does."""

    def fits(size: int) -> bool:
        starts = 1 if starts_once else size + 1
        return found.cost(size) <= STEPS and starts * _start_cost(found, size) + 2 * size <= STEPS

    if not fits(0):
        return -1
    low, high = 0, LONGEST
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _start_cost(found: Shape, size: int) -> float:
    """The cost of trying one place. An endless repeat at the end can't fail after its least: what it reads beyond that
    is the match, and is not read again.
    """
    last = found.parts[-1] if isinstance(found, Row) and found.parts else None
    if not (isinstance(found, Row) and isinstance(last, Repeated) and last.endless and isinstance(last.part, One)):
        return found.cost(size)
    head = Row(found.parts[:-1])
    return head.cost(size) + head.ways(size) * (last.low + 2)


def ends_where_it_matches(found: Shape) -> bool:
    """Whether a search that finds a match has looked no further than a fixed number of letters beyond its end: then all
    matches together cost no more than the text is long. Each endless repeat is the last part, or is followed by what
    does not begin with a letter that it takes; one that may be left out has nothing after it.
    """
    return not found.endless or (isinstance(found, Row) and _stops(_flat(found), optional=False))


def _flat(row: Row) -> list[Shape]:
    return [inner for part in row.parts for inner in (_flat(part) if isinstance(part, Row) else [part])]


def _stops(parts: Sequence[Shape], *, optional: bool) -> bool:
    for at, part in enumerate(parts, 1):
        if not part.endless:
            continue
        rest = parts[at:]
        if not isinstance(part, Repeated) or (rest and optional):
            return False
        if isinstance(part.part, One):
            if _begins(rest) & _letters(part.part.text):
                return False
        elif rest or part.high > 1 or not isinstance(part.part, Row) or not _stops(_flat(part.part), optional=True):
            return False
    return True


def _begins(parts: Sequence[Shape]) -> int:
    """The letters that the parts may begin with, as `_letters`."""
    found = 0
    for part in parts:
        found |= _begin(part)
        if part.width:
            break
    return found


def _begin(part: Shape) -> int:
    if isinstance(part, One):
        return _letters(part.text) if part.width else 0
    if isinstance(part, Repeated):
        return _begin(part.part)
    if isinstance(part, Row):
        return _begins(part.parts)
    return reduce(or_, map(_begin, part.rows)) if isinstance(part, Choice) else -1


@lru_cache(maxsize=256)
def _letters(text: str) -> int:
    """Which ASCII letters a part takes, a bit each; and as bit 128, whether it may take others."""
    one = re.compile(text, re.DOTALL | re.IGNORECASE)
    found = sum(1 << code for code in range(128) if one.fullmatch(chr(code)))
    plain = text.isascii() and not text.startswith("[^") and text != "."
    return found if plain else found | 1 << 128
