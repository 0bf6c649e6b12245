"""The functions that generated code calls for texts beyond `runtime.py`: patterns, slices, digests, digits."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def bytewise(text: str) -> str:
    """Each byte as a letter of its own."""
    return text if text.isascii() else text.encode().decode("latin-1")


APART = str.maketrans({"İ": "\ue130", "ı": "\ue131"})
TOGETHER = str.maketrans({"\ue130": "İ", "\ue131": "ı"})
"""Python takes these for an i where case does not count, RE2 does not."""


def _told_apart(text: str, pattern: str) -> str:
    return text if text.isascii() or not pattern.startswith("(?i") else text.translate(APART)


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def regexp_matches(text: str, pattern: str) -> bool:
    return compiled(pattern).search(_told_apart(text, pattern)) is not None


def regexp_full_match(text: str, pattern: str) -> bool:
    return compiled(pattern).fullmatch(_told_apart(text, pattern)) is not None


def regexp_extract(text: str, pattern: str, group: int) -> str:
    """Nothing where there is no match, or the group is not part of it."""
    found = compiled(pattern).search(_told_apart(text, pattern))
    return (found[group] or "").translate(TOGETHER) if found else ""


def regexp_replace(text: str, pattern: str, new: str, every: bool) -> str:
    """An empty match right after another is none, as in RE2."""
    finder, out, at, after = compiled(pattern), "", 0, -1
    text = _told_apart(text, pattern)
    while at <= len(text):
        found = finder.search(text, at)
        if not found:
            break
        begin, end = found.span()
        out += text[at:begin]
        if begin == end == after:
            out, at = out + text[begin : begin + 1], begin + 1
            continue
        out, at, after = out + _expanded(new, found), end, end
        if not every:
            break
    return (out + text[at:]).translate(TOGETHER)


def _expanded(new: str, found: re.Match[str]) -> str:
    def part(mark: re.Match[str]) -> str:
        return "\\" if mark[1] == "\\" else found[int(mark[1])] or ""

    return re.sub(r"\\([0-9\\])", part, new) if "\\" in new else new


def letter(text: str, index: int) -> str:
    """Counted from 1, or from the end below 0."""
    at = index - 1 if index > 0 else len(text) + index
    return text[at] if index and 0 <= at < len(text) else ""


def sliced(text: str, start: int, end: int) -> str:
    """Both ends are part of it; below 0 they count from the end."""
    size = len(text)
    begin = start - 1 if start > 0 else max(size + start, 0) if start < 0 else 0
    stop = end if end >= 0 else size + end + 1
    return text[begin : max(stop, 0)]


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def hex_text(text: str) -> str:
    return text.encode().hex().upper()


def binary_text(text: str) -> str:
    return "".join(f"{byte:08b}" for byte in text.encode())


def to_base(number: int, base: int, size: int = 1) -> str | None:
    """NULL where DuckDB would stop."""
    if number < 0 or not 2 <= base <= 36 or not 0 <= size <= 64:
        return None
    text = ""
    while number or not text:
        number, digit = divmod(number, base)
        text = DIGITS[digit] + text
    return text.rjust(size, "0")


def levenshtein(one: str, other: str) -> int:
    """How many bytes differ: put in, left out or changed."""
    left, right = one.encode(), other.encode()
    row = list(range(len(right) + 1))
    for at, byte in enumerate(left, 1):
        before, row[0] = row[0], at
        for to, theirs in enumerate(right, 1):
            before, row[to] = row[to], min(row[to] + 1, row[to - 1] + 1, before + (byte != theirs))
    return row[-1]


def overlay(text: str, new: str, start: int, count: int) -> str:
    return text[: max(start - 1, 0)] + new + text[max(start - 1 + count, 0) :]
