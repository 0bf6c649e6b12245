"""What reaches a terminal: text in which nothing commands it, reorders it or hides.

All that a command writes to its standard streams goes through `guarded`, so a new command is under it. Controls (C0,
DEL, C1), marks that turn text or have no width, separators of lines and paragraphs, tags and halves of surrogate pairs
are written as JSON writes them, `\\u001b`: so JSON stays JSON, with the same values. The line end is the stream's.
Source: Unicode Technical Report 36, "Unicode Security Considerations", and Annex 9, "Bidirectional Algorithm".
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

import click

LONGEST = 2000
"""Characters of one message for people, before they are escaped."""

_UNSEEN = (
    r"\x7f-\x9f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ANY = re.compile(rf"[\x00-\x1f{_UNSEEN}]")
_IN_LINES = re.compile(rf"[\x00-\x09\x0b-\x1f{_UNSEEN}]")


def is_text(text: str) -> bool:
    """Whether the text has an encoding in UTF-8: it holds no bytes that the system could not read."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def printable(text: str, longest: int | None = None) -> str:
    """The text on one line, with everything in it to be seen; what is beyond `longest` characters is cut."""
    if longest is not None and len(text) > longest:
        text = f"{text[:longest]}…"
    return _ANY.sub(_escaped, text)


def printable_lines(text: str) -> str:
    """As `printable`, of text that has lines."""
    return _IN_LINES.sub(_escaped, text)


def say(text: object, *, err: bool = False) -> None:
    """Write one line for people."""
    click.echo(printable(str(text)), err=err)


@contextmanager
def guarded() -> Iterator[None]:
    """Let the standard streams, for as long, take nothing that could do more than to be read."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _guard(before[0]), _guard(before[1])
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def unguarded(stream: TextIO) -> TextIO:
    """The stream itself, for bytes that a program reads and for what moves the cursor on purpose."""
    return stream.beneath if isinstance(stream, _Guarded) else stream


def _guard(stream: TextIO) -> TextIO:
    return stream if isinstance(stream, _Guarded) else cast(TextIO, _Guarded(stream))


def _escaped(found: re.Match[str]) -> str:
    if short := _SHORT.get(found[0]):
        return short
    code = ord(found[0])
    if code > 0xFFFF:
        return f"\\u{0xD7C0 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"


class _Guarded:
    """A text stream that escapes what is written to it. It shows no `buffer`: nobody gets past it by accident."""

    encoding, errors, buffer = "utf-8", "backslashreplace", None

    def __init__(self, stream: TextIO) -> None:
        self.beneath = stream

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"a text stream takes str, not {type(text).__name__}")
        self.beneath.write(printable_lines(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.beneath, name)
