"""Where each key and value of a TOML file stands: `tomllib` tells values only, people need lines.

A small scanner over text that `tomllib` has already accepted, so it need not refuse anything: it follows
headers, arrays of tables, dotted and quoted keys, inline tables, arrays and multi-line strings, and notes
offsets. A *path* is a tuple of keys and, within arrays, indices: `("panels", 2, "sql")`. For strings it can
also tell where a line and column *of the decoded text* stand in the file, which is how an error within SQL
finds its line. Source: TOML 1.0.0.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Any, NamedTuple

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})' r"|'''.*?'''(?:'{0,2})" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'",
    re.DOTALL,
)
_NEWLINES = ("\\n", "\\u000a", "\\u000A", "\\U0000000a", "\\U0000000A", "\\x0a", "\\x0A")
_PIECE = re.compile(r"\\[ \t]*\n[ \t\n]*|\\u.{4}|\\U.{8}|\\x..|\\.|[^\\]", re.DOTALL)


class Place(NamedTuple):
    """A line and column of the file, from 1."""

    line: int
    column: int


class TomlLines:
    """The index of one text."""

    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n")
        self._starts = [0, *(found.end() for found in re.finditer("\n", self.text))]
        self.keys: dict[Path, int] = {}
        self.values: dict[Path, int] = {}
        self._lengths: dict[Path, int] = {}
        self._at = 0
        self._document()

    def line(self, path: Path) -> int:
        """The line of the key, or of the nearest thing around it that the file has; 1 for the file itself."""
        while path and path not in self.keys:
            path = path[:-1]
        return self._place(self.keys[path]).line if path else 1

    def within(self, path: Path, line: int, column: int) -> Place | None:
        """Where line and column (from 1) of the decoded string stand; None if there is no string at `path`.
        """
        start = self.values.get(path)
        if start is None or self.text[start] not in "\"'":
            return None
        return self._place(_file_offset(self.text, start, line, column))

    def _place(self, offset: int) -> Place:
        line = bisect_right(self._starts, offset)
        return Place(line, offset - self._starts[line - 1] + 1)

    def _document(self) -> None:
        table: Path = ()
        while self._skip(_BLANK) < len(self.text):
            if self.text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self.text, self._at)
        self._at = found.end() if found else self._at
        return self._at

    def _header(self) -> Path:
        start = self._at
        double = self.text.startswith("[[", start)
        self._at += 2 if double else 1
        path = self._key_path((), start)
        self._at += 2 if double else 1
        if double:
            index = self._lengths.get(path, 0)
            self._lengths[path] = index + 1
            path = (*path, index)
        self.keys[path] = start
        return path

    def _pair(self, table: Path) -> None:
        path = self._key_path(table, self._at)
        self._at += 1
        self._skip(_SPACE)
        self._value(path)

    def _key_path(self, table: Path, start: int) -> Path:
        """A dotted key below `table`; arrays of tables on the way are entered at their last element."""
        path = table
        while True:
            self._skip(_SPACE)
            path = (*path, self._key())
            self.keys.setdefault(path, start)
            self._skip(_SPACE)
            if self.text[self._at] != ".":
                return path
            self._at += 1
            if path in self._lengths:
                path = (*path, self._lengths[path] - 1)

    def _key(self) -> str:
        found = _STRING.match(self.text, self._at) or _BARE.match(self.text, self._at)
        assert found, "tomllib has accepted this text"
        self._at = found.end()
        word = found.group()
        return decoded(word) if word[0] in "\"'" else word

    def _value(self, path: Path) -> None:
        self.values[path] = self._at
        if self.text[self._at] == "[":
            self._array(path)
        elif self.text[self._at] == "{":
            self._inline(path)
        elif self.text[self._at] in "\"'":
            self._skip(_STRING)
        else:
            self._skip(_SCALAR)

    def _array(self, path: Path) -> None:
        self._at += 1
        index = 0
        while self.text[self._skip(_BLANK)] != "]":
            self.keys[(*path, index)] = self._at
            self._value((*path, index))
            index += 1
            if self.text[self._skip(_BLANK)] == ",":
                self._at += 1
        self._at += 1

    def _inline(self, path: Path) -> None:
        self._at += 1
        while self.text[self._skip(_BLANK)] != "}":
            self._pair(path)
            if self.text[self._skip(_BLANK)] == ",":
                self._at += 1
        self._at += 1


def written(path: Path) -> str:
    """A path in TOML's own words: `events."flight.held".fields.gate`, `panels[2].sql`."""
    words = [f"[{step}]" if isinstance(step, int) else "." + _quoted(step) for step in path]
    return "".join(words).removeprefix(".")


def _quoted(key: str) -> str:
    return key if _BARE.fullmatch(key) else '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


def decoded(literal: str) -> str:
    """The text that a TOML string stands for."""
    import tomllib

    value: dict[str, Any] = tomllib.loads("k = " + literal)
    return str(value["k"])


def _file_offset(text: str, start: int, line: int, column: int) -> int:
    """The offset in `text` of a place in the string that begins (with its quotes) at `start`."""
    quote = text[start : start + 3] if text[start : start + 3] in ('"""', "'''") else text[start]
    at = start + len(quote)
    found = _STRING.match(text, start)
    end = (found.end() if found else len(text)) - len(quote)
    if len(quote) == 3 and text[at] == "\n":
        at += 1
    while at < end:
        piece, width = _piece(text, at, quote[0] == '"')
        if piece and line == 1 and (column == 1 or piece == "\n"):
            break
        line -= piece == "\n"
        column -= piece not in ("", "\n") and line == 1
        at += width
    return at


def _piece(text: str, at: int, escapes: bool) -> tuple[str, int]:
    """One decoded character (none for a line-ending backslash) and how many characters of the file it takes.
    """
    if not escapes or text[at] != "\\":
        return text[at], 1
    found = _PIECE.match(text, at)
    assert found
    word = found.group()
    if word[1] in " \t\n":
        return "", len(word)
    return ("\n" if word in _NEWLINES else "?"), len(word)
