"""Regular expressions in generated code. A short text is read by Python's `re` where that means the same and can't take
long whatever the text holds (`pattern_costs.py`); all else by RE2, in time linear in the text.

A pattern stands in the plan as RE2 reads it, with its options in it. NULL comes out where even RE2 would take too
long (`WORK`), or where the result would be longer than `LONGEST_TEXT`: both depend on nothing but pattern and text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from dataflow.sql.runtime.limits import LONGEST_TEXT
from dataflow.sql.runtime.pattern_costs import NotBounded, ends_where_it_matches, longest_text, shape
from dataflow.sql.runtime.patterns import Unreadable, python_parts, re2_pattern

__all__ = ["regexp_extract", "regexp_full_match", "regexp_matches", "regexp_replace"]

WORK = 100_000_000
"""Instructions of RE2's program times bytes of the text: at the worst a second, mostly under a millisecond."""
SEEN = 100_000_000
"""Bytes that all searches for the matches in one text may look at, where a search may look far beyond its match."""
MATCHES = 50_000
"""So many matches of RE2's are replaced in one text: less than half a second. By `re`, ten times as many."""

Glue = TypeVar("Glue", str, bytes)
NEVER = re.compile("(?!)")


class Search:
    """One pattern. `most`: texts of up to so many letters are read by `python`; −1: none are. `ascii`: of these only
    ASCII, since other letters that differ by case alone are not the same ones in Python. `steady`: see
    `ends_where_it_matches`; `filled`: no match is empty.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.python: re.Pattern[str] = NEVER
        self.most = -1
        self.ascii = self.steady = self.filled = False
        with suppress(Unreadable, NotBounded, re.error, OverflowError, RecursionError):
            self._take_python()

    def _take_python(self) -> None:
        flags, parts = python_parts(self.pattern)
        self.ascii = "i" in flags
        if self.ascii and not self.pattern.isascii():
            return
        found = shape(parts)
        self.steady, self.filled = ends_where_it_matches(found), found.width > 0
        text = "".join(part.text for part in parts)
        self.python = re.compile(f"(?{flags}){text}" if flags else text)
        self.most = longest_text(found, parts[:1] != [] and parts[0].text in ("^", r"\A"))

    @cached_property
    def tester(self) -> Any:
        """RE2's, for whether a text matches."""
        return re2_pattern(self.pattern, spans=False)

    @cached_property
    def finder(self) -> Any:
        """RE2's, for where."""
        return re2_pattern(self.pattern)

    def reads(self, text: str) -> bool:
        """Whether `python` is to read this text."""
        return len(text) <= self.most and (not self.ascii or text.isascii())


@lru_cache(maxsize=1024)
def search_for(pattern: str) -> Search:
    return Search(pattern)


def regexp_matches(text: str, pattern: str) -> bool | None:
    search = search_for(pattern)
    if search.reads(text):
        return search.python.search(text) is not None
    data = _within_work(search.tester, text)
    return None if data is None else search.tester.search(data) is not None


def regexp_full_match(text: str, pattern: str) -> bool | None:
    search = search_for(pattern)
    if search.reads(text):
        return search.python.fullmatch(text) is not None
    data = _within_work(search.tester, text)
    return None if data is None else search.tester.fullmatch(data) is not None


def regexp_extract(text: str, pattern: str, group: int) -> str | None:
    """Nothing where there is no match, or the group is not part of it."""
    search = search_for(pattern)
    if search.reads(text):
        found = search.python.search(text)
        return (found[group] or "") if found else ""
    data = _within_work(search.finder, text)
    if data is None:
        return None
    deep = search.finder.search(data)
    return _decoded(deep[group] or b"") if deep else ""


def regexp_replace(text: str, pattern: str, new: str, every: bool) -> str | None:
    """An empty match right after another is none, as in RE2."""
    search = search_for(pattern)
    if search.reads(text):
        if search.filled and "\\" not in new and len(new) * (len(text) + 1) < LONGEST_TEXT:
            return search.python.sub(lambda _: new, text, 0 if every else 1)
        return _joined(_pieces(text, search.python.search, _template(new), every, _next_letter), "", 20 * MATCHES)
    data = _within_work(search.finder, text)
    if data is None:
        return None
    look = search.finder.search if search.steady or not every else _watched(search.finder.search, len(data))
    found = _joined(_pieces(data, look, _template(new.encode()), every, _next_character), b"", 2 * MATCHES)
    return None if found is None else _decoded(found)


def _within_work(pattern: Any, text: str) -> bytes | None:
    """The text as RE2 reads it; None where that is too much."""
    data = text.encode(errors="replace")
    return data if pattern.programsize * len(data) <= WORK else None


def _decoded(data: bytes) -> str:
    return data.decode(errors="replace")


class _Enough(Exception):
    """Too much has been looked at."""


def _watched(look: Callable[[Any, int], Any], size: int) -> Callable[[Any, int], Any]:
    """The search, until its calls may have looked at more than SEEN bytes."""
    left = SEEN

    def watched(text: Any, at: int) -> Any:
        nonlocal left
        left -= size - at
        if left < 0:
            raise _Enough
        return look(text, at)

    return watched


def _next_letter(text: str, at: int) -> int:
    return at + 1


def _next_character(data: bytes, at: int) -> int:
    """After the UTF-8 character at a place."""
    at += 1
    while at < len(data) and data[at] & 0xC0 == 0x80:
        at += 1
    return at


def _pieces(
    text: Any, look: Callable[[Any, int], Any], expand: Callable[[Any], Any], every: bool, following: Callable[..., int]
) -> Iterator[Any]:
    """The text in pieces, its matches replaced; of one kind: letters or bytes."""
    at, after = 0, -1
    while at <= len(text):
        found = look(text, at)
        if not found:
            break
        begin, end = found.span()
        yield text[at:begin]
        if begin == end == after:
            at = following(text, begin)
            yield text[begin:at]
            continue
        yield expand(found)
        at = after = end
        if not every:
            break
    yield text[at:]


def _joined(pieces: Iterator[Any], glue: Glue, most: int) -> Glue | None:
    """None where they are too long or too many, or too much had to be looked at."""
    found: list[Glue] = []
    size = 0
    try:
        for piece in pieces:
            size += len(piece)
            if size > LONGEST_TEXT or len(found) > most:
                return None
            found.append(piece)
    except _Enough:
        return None
    return glue.join(found)


def _template(new: Any) -> Callable[[Any], Any]:
    r"""What stands for a match: \0 to \9 are its groups."""
    mark: Any
    empty: Any
    mark, empty = ("\\", "") if isinstance(new, str) else (b"\\", b"")
    if mark not in new:
        return lambda _: new
    parts: list[Any] = []
    rest = new
    while mark in rest:
        before, _, rest = rest.partition(mark)
        sign, rest = rest[:1], rest[1:]
        parts += [before, mark if sign == mark else int(sign)]
    parts.append(rest)

    def expand(found: Any) -> Any:
        return empty.join((found[part] or empty) if isinstance(part, int) else part for part in parts)

    return expand
