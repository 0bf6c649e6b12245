"""LIKE, ILIKE and GLOB: a pattern parted at its % (or *) into stretches, which are looked for one after the other, each
where it stands first. That finds a match if there is one, in time linear in the text.

A stretch of plain letters is found by `str.find`; one with letters that may be any (or some) by `re`, which takes as
many steps for each place of the text as the stretch is long: beyond `PLACES` the result is NULL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from dataflow.sql.runtime.limits import PLACES, WIDEST
from dataflow.sql.runtime.numbers import lower
from dataflow.sql.runtime.texts import bytewise

__all__ = ["glob", "ilike", "like"]

Match = Callable[[str], bool | None]
ANY, MANY = object(), object()
"""Of a pattern: one letter, and any number of them."""
KEPT = 1_000
"""Patterns of up to so many letters are kept."""


class Some(str):
    """One of several letters, as `re` writes it."""


Token = str | object


class NotClosed(ValueError):
    """A [ without its ]."""


class Stretch:
    """Letters between two %. `plain` is their text where each is itself."""

    def __init__(self, tokens: list[Token]) -> None:
        self.size = len(tokens)
        odd = any(token is ANY or isinstance(token, Some) for token in tokens)
        self.plain = None if odd else "".join(map(str, tokens))
        self.too_wide = self.plain is None and self.size > WIDEST
        if self.plain is None and not self.too_wide:
            self._pattern = re.compile("".join(map(_written, tokens)), re.DOTALL)

    def stands(self, text: str, at: int) -> bool:
        """Whether it is there at a place."""
        if self.plain is not None:
            return text.startswith(self.plain, at)
        return self._pattern.match(text, at) is not None

    def find(self, text: str, at: int, end: int) -> int:
        """Where it is first, wholly before `end`; −1 if nowhere."""
        if self.plain is not None:
            return text.find(self.plain, at, end)
        found = self._pattern.search(text, at, end)
        return found.start() if found else -1


def _written(token: Token) -> str:
    return "." if token is ANY else token if isinstance(token, Some) else re.escape(str(token))


def matcher(tokens: Iterable[Token]) -> Match:
    """Whether a whole text is as the tokens say."""
    stretches = _stretches(tokens)
    odd = sum(stretch.size for stretch in stretches if stretch.plain is None)
    if any(stretch.too_wide for stretch in stretches):
        return lambda _: None
    match = _whole(stretches[0]) if len(stretches) == 1 else _in_order(stretches)
    if not odd:
        return match
    return lambda text: match(text) if odd * len(text) <= PLACES else None


def _stretches(tokens: Iterable[Token]) -> list[Stretch]:
    found: list[list[Token]] = [[]]
    for token in tokens:
        if token is MANY:
            found.append([])
        else:
            found[-1].append(token)
    return [Stretch(tokens) for tokens in found]


def _whole(only: Stretch) -> Match:
    plain, size = only.plain, only.size
    if plain is not None:
        return lambda text: text == plain
    return lambda text: len(text) == size and only.stands(text, 0)


def _in_order(stretches: list[Stretch]) -> Match:
    first, last = stretches[0], stretches[-1]
    between = [stretch for stretch in stretches[1:-1] if stretch.size]
    least = sum(stretch.size for stretch in stretches)
    if not first.size and not last.size and len(between) == 1 and between[0].plain is not None:
        return _holds(between[0].plain)
    if not between and first.plain is not None and not last.size:
        return _starts(first.plain)

    def match(text: str) -> bool:
        end = len(text) - last.size
        if len(text) < least or not first.stands(text, 0) or not last.stands(text, end):
            return False
        at = first.size
        for stretch in between:
            at = stretch.find(text, at, end)
            if at < 0:
                return False
            at += stretch.size
        return True

    return match


def _holds(part: str) -> Match:
    return lambda text: part in text


def _starts(part: str) -> Match:
    return lambda text: text.startswith(part)


def like(text: str, pattern: str, escape: str) -> bool | None:
    match = _kept_like(pattern, escape) if len(pattern) <= KEPT else like_matcher(pattern, escape)
    return match(text)


def ilike(text: str, pattern: str, escape: str) -> bool | None:
    """The escape counts in either case too, as in DuckDB."""
    return like(lower(text), lower(pattern), lower(escape))


def like_matcher(pattern: str, escape: str) -> Match:
    """Where DuckDB would stop since the pattern ends with its escape, NULL."""
    if not any(mark in pattern for mark in ("%", "_", escape or "%")):
        return lambda text: text == pattern
    if not _ends_escaped(pattern, escape):
        return matcher(_like_tokens(pattern, escape))
    reaches = matcher([*_like_tokens(pattern[:-1], escape), MANY])
    return lambda text: None if reaches(text) else False


_kept_like = lru_cache(maxsize=1024)(like_matcher)


def _ends_escaped(pattern: str, escape: str) -> bool:
    at, ends = 0, False
    while escape and (at := pattern.find(escape, at)) >= 0:
        ends = at == len(pattern) - 1
        at += 2
    return ends


def _like_tokens(pattern: str, escape: str) -> Iterator[Token]:
    letters = iter(pattern)
    for letter in letters:
        if escape and letter == escape:
            yield next(letters, "")
        else:
            yield MANY if letter == "%" else ANY if letter == "_" else letter


@lru_cache(maxsize=1024)
def _glob_matcher(pattern: str) -> Match:
    return matcher(glob_tokens(pattern))


def glob(text: str, pattern: str) -> bool | None:
    """A glob over bytes, each as a letter of its own."""
    return _glob_matcher(pattern)(bytewise(text))


def glob_tokens(pattern: str) -> list[Token]:
    """Raises NotClosed, and `re.error` where a range is none."""
    found: list[Token] = []
    letters, at = bytewise(pattern), 0
    while at < len(letters):
        letter, at = letters[at], at + 1
        if letter == "[":
            end = letters.find("]", at + 1)
            if end < 0:
                raise NotClosed("a [ is not closed")
            found.append(_glob_set(letters[at:end]))
            at = end + 1
        elif letter == "\\" and at < len(letters):
            found.append(letters[at])
            at += 1
        else:
            found.append(MANY if letter == "*" else ANY if letter == "?" else letter)
    return found


def _glob_set(inner: str) -> Some:
    turned = inner[:1] == "!" and len(inner) > 1
    text = "".join(letter if letter == "-" else re.escape(letter) for letter in inner[turned:])
    found = Some(f"[{'^' * turned}{text}]")
    re.compile(found)
    return found
