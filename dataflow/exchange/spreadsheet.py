"""Cells that a spreadsheet takes for what they are: text, never a formula.

A spreadsheet runs what begins with = + - or @ (also in full width), or with a tab or line break before it, and some let
spaces and quotes pass. Where its separator is another than the file's, a cell may begin within one of ours. An
apostrophe before such a place makes it text. What is nothing but a number is left as it is.
Source: OWASP, "CSV Injection"; CWE-1236.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_START = re.compile(r"""(^|[;|\t\r\n])([ \v\f\u00a0\u3000"']*[=+\-@\uff1d\uff0b\uff0d\uff20])""")
_BEFORE = ("\t", "\r", "\n")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_TO_QUOTE = re.compile(r'[\t\r\n"]')


def neutralise(text: str) -> str:
    """The text, with an apostrophe wherever a formula could begin."""
    if _NUMBER.fullmatch(text):
        return text
    harmless = _START.sub(r"\1'\2", text)
    return f"'{harmless}" if text.startswith(_BEFORE) else harmless


def neutralise_row(cells: Iterable[Any]) -> list[Any]:
    """Cells of which the text is made harmless; numbers stay numbers."""
    return [neutralise(cell) if isinstance(cell, str) else cell for cell in cells]


def tab_separated(cells: Iterable[str]) -> str:
    """A line of a table, without its end, as spreadsheets take it from the clipboard; cells may hold tabs and lines."""
    return "\t".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' if _TO_QUOTE.search(cell) else cell for cell in cells)
