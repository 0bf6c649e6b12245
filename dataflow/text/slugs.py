"""Slugs: names made from what people write."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator

_OTHERS = re.compile(r"[^a-z0-9]+")


def slug(text: str, longest: int) -> str:
    """Return the text's letters and digits in ASCII, small, joined by hyphens; at most `longest`. Empty where it has
    none.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return _OTHERS.sub("-", plain).strip("-")[:longest].rstrip("-")


def distinct(names: Iterable[str], taken: Collection[str]) -> Iterator[str]:
    """Yield the names in order; one that is taken or comes again gets the next free number: `a`, `a-2`."""
    used, counts = set(taken), dict[str, int]()
    for name in names:
        free = name
        while free in used:
            counts[name] = counts.get(name, 1) + 1
            free = f"{name}-{counts[name]}"
        used.add(free)
        yield free
