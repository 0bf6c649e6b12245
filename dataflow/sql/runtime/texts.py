"""The functions that generated code calls for texts beyond `numbers.py`: slices, digests, digits, distances."""

from __future__ import annotations

import hashlib

from dataflow.sql.runtime.limits import COMPARED, LONGEST_TEXT, PAIRS
from dataflow.sql.runtime.numbers import FARTHEST, bounded_join

__all__ = ["binary_text", "hex_text", "letter", "levenshtein", "md5", "overlay", "sha1", "sha256", "sliced", "to_base"]

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def bytewise(text: str) -> str:
    """Each byte as a letter of its own."""
    return text if text.isascii() else text.encode().decode("latin-1")


def letter(text: str, index: int) -> str | None:
    """Counted from 1, or from the end below 0; NULL where DuckDB would stop."""
    if abs(index) > FARTHEST:
        return None
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


def hex_text(text: str) -> str | None:
    return text.encode().hex().upper() if len(text) <= LONGEST_TEXT // 8 else None


def binary_text(text: str) -> str | None:
    data = text.encode()
    if len(data) * 8 > LONGEST_TEXT:
        return None
    return f"{int.from_bytes(data, 'big'):0{len(data) * 8}b}" if data else ""


def to_base(number: int, base: int, size: int = 1) -> str | None:
    """NULL where DuckDB would stop."""
    if number < 0 or not 2 <= base <= 36 or not 0 <= size <= 64:
        return None
    text = ""
    while number or not text:
        number, digit = divmod(number, base)
        text = DIGITS[digit] + text
    return text.rjust(size, "0")


def levenshtein(one: str, other: str) -> int | None:
    """How many bytes differ: put in, left out or changed. NULL where the texts are long.

    A column of the table of distances is two numbers, whose bits say where it rises and falls from row to row (Myers,
    1999; Hyyrö, 2003).
    """
    left, right = sorted((one.encode(errors="replace"), other.encode(errors="replace")), key=len)
    if len(left) * len(right) > PAIRS or len(right) > COMPARED:
        return None
    if not left:
        return len(right)
    places: dict[int, int] = {}
    for at, byte in enumerate(left):
        places[byte] = places.get(byte, 0) | 1 << at
    top, mask, distance = 1 << len(left) - 1, (1 << len(left)) - 1, len(left)
    rises, falls = mask, 0
    for byte in right:
        same = places.get(byte, 0)
        turned = (((same & rises) + rises) ^ rises) | same | falls
        more, fewer = falls | ~(turned | rises) & mask, rises & turned
        distance += bool(more & top) - bool(fewer & top)
        more, fewer = more << 1 & mask | 1, fewer << 1 & mask
        rises, falls = fewer | ~(turned | more) & mask, more & turned
    return distance


def overlay(text: str, new: str, start: int, count: int) -> str | None:
    return bounded_join(text[: max(start - 1, 0)], new, text[max(start - 1 + count, 0) :])
