"""What people take for one letter: code points that stay together when a text is turned round, as DuckDB does it.

After Unicode's UAX #29, its classes told from the general categories that Python knows; emoji by their blocks.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

__all__ = ["reverse"]

ZWJ = "\u200d"
PICTURES = ((0x1F000, 0x1FAFF), (0x2190, 0x23FF), (0x2600, 0x27BF), (0x2900, 0x297F), (0x2B00, 0x2BFF), (0xA9, 0xAE))
LEADING, VOWEL, TRAILING = range(0x1100, 0x1160), range(0x1160, 0x11A8), range(0x11A8, 0x1200)
SYLLABLES = range(0xAC00, 0xD7A4)
BEFORE = frozenset({*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD})
"""Signs that belong to what follows them."""


@lru_cache(maxsize=4096)
def _class(letter: str) -> str:
    code, category = ord(letter), unicodedata.category(letter)
    if letter == ZWJ or category in ("Mn", "Me", "Mc") or letter == "\u200c" or 0x1F3FB <= code <= 0x1F3FF:
        return "extend"
    if code in BEFORE:
        return "before"
    if category in ("Cc", "Cf", "Zl", "Zp"):
        return "control"
    if 0x1F1E6 <= code <= 0x1F1FF:
        return "flag"
    if code in LEADING or code in VOWEL or code in TRAILING:
        return "L" if code in LEADING else "V" if code in VOWEL else "T"
    if code in SYLLABLES:
        return "LVT" if (code - SYLLABLES.start) % 28 else "LV"
    return "picture" if any(low <= code <= high for low, high in PICTURES) else ""


TOGETHER = {
    "L": ("L", "V", "LV", "LVT"), "LV": ("V", "T"), "V": ("V", "T"), "LVT": ("T",), "T": ("T",),
}  # fmt: skip


def graphemes(text: str) -> list[str]:
    found: list[str] = []
    before = ""
    for letter in text:
        kind = _class(letter)
        if found and _joined(found[-1], before, letter, kind):
            found[-1] += letter
            before = "flags" if kind == "flag" else before if kind == "extend" and before == "picture" else kind
        else:
            found.append(letter)
            before = kind
    return found


def _joined(whole: str, before: str, letter: str, kind: str) -> bool:
    """Whether the letter belongs to what stands before it, whose last class is `before`."""
    if kind == "extend" or before == "before":
        return before != "control" and kind != "control"
    if kind == "picture":
        return before == "picture" and whole.endswith(ZWJ)
    if kind == "flag":
        return before == "flag"
    return kind in TOGETHER.get(before, ()) or (letter == "\n" and whole == "\r")


def reverse(text: str) -> str:
    return text[::-1] if text.isascii() else "".join(reversed(graphemes(text)))
