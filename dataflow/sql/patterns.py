"""Regular expressions and globs: DuckDB's patterns (RE2's) as Python's. What means something else there, or nothing,
is refused: look-around, back references, possessive repeats, `\\p`.

Classes are ASCII ones in RE2 whatever the text, so `\\d`, `\\w`, `\\s` and `[:alpha:]` are written out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dataflow.sql.texts import APART, bytewise

CLASSES = {
    "d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\f\r ", "alpha": "A-Za-z", "digit": "0-9", "alnum": "0-9A-Za-z",
    "upper": "A-Z", "lower": "a-z", "space": r"\t\n\v\f\r ", "punct": r"!-/:-@\[-`{-~", "xdigit": "0-9A-Fa-f",
    "word": "0-9A-Za-z_", "blank": r"\t ", "cntrl": r"\x00-\x1f\x7f", "print": " -~", "graph": "!-~",
}  # fmt: skip
FLAGS = {"i": "i", "s": "s", "c": "", "g": "", "l": ""}
REPEAT = re.compile(r"\{(\d{1,4})(,(\d{0,4}))?\}")
GROUP = re.compile(r"\?(?::|P<[A-Za-z_]\w*>|s:)", re.ASCII)
SIGNS = frozenset("!\"#%&',-/:;<=>@_`~ .^$*+?()[]{}|\\")


class Unreadable(ValueError):
    """A pattern that is not the same in Python; the message says why."""


def translated(pattern: str, options: str = "") -> str:
    """Raises Unreadable."""
    unknown = set(options) - FLAGS.keys()
    if unknown:
        raise Unreadable(f"the option '{min(unknown)}' is not supported")
    inner = re.escape(pattern) if "l" in options else "".join(_parts(pattern))
    flags = "".join(sorted({FLAGS[option] for option in options}))
    text = f"(?{flags}){inner.translate(APART) if 'i' in flags else inner}" if flags else inner
    try:
        re.compile(text)
    except re.error as problem:
        raise Unreadable(str(problem)) from None
    return text


def _parts(pattern: str) -> Iterator[str]:
    at, size, repeated = 0, len(pattern), False
    while at < size:
        letter = pattern[at]
        repeat = REPEAT.match(pattern, at) if letter == "{" else None
        if letter in "*+?" or repeat:
            part, at = (letter, at + 1) if repeat is None else (repeat[0], repeat.end())
            lazy = pattern[at : at + 1] == "?"
            at += lazy
            if repeated or pattern[at : at + 1] in ("*", "+", "?"):
                raise Unreadable(f"a repeat of a repeat, near '{part}'")
            yield part + "?" * lazy
            continue
        repeated = False
        if letter == "\\":
            part, at = _escape(pattern, at)
        elif letter == "[":
            part, at = _set(pattern, at)
        elif letter == "(":
            part, at = _group(pattern, at)
        else:
            part, at = {"$": r"\Z", "{": r"\{", "}": r"\}"}.get(letter, letter), at + 1
        yield part


def _escape(pattern: str, at: int) -> tuple[str, int]:
    letter = pattern[at + 1 : at + 2]
    if letter in ("d", "w", "s"):
        return f"[{CLASSES[letter]}]", at + 2
    if letter in ("D", "W", "S"):
        return f"[^{CLASSES[letter.lower()]}]", at + 2
    if letter in ("b", "B"):
        return f"(?a:\\{letter})", at + 2
    if letter in ("A", "n", "t", "r", "f", "v", "a"):
        return f"\\{letter}", at + 2
    if letter == "z":
        return r"\Z", at + 2
    if letter in SIGNS:
        return re.escape(letter), at + 2
    raise Unreadable(f"\\{letter} is not supported")


def _group(pattern: str, at: int) -> tuple[str, int]:
    if pattern[at + 1 : at + 2] != "?":
        return "(", at + 1
    known = GROUP.match(pattern, at + 1)
    if not known:
        raise Unreadable(f"{pattern[at : at + 4]}… is not supported")
    return "(" + known[0], known.end()


def _set(pattern: str, at: int) -> tuple[str, int]:
    """[…], from its bracket."""
    at, text = at + 1, "["
    if pattern[at : at + 1] == "^":
        at, text = at + 1, "[^"
    first = True
    while first or pattern[at : at + 1] != "]":
        part, at = _member(pattern, at)
        text, first = text + part, False
    return text + "]", at + 1


def _member(pattern: str, at: int) -> tuple[str, int]:
    letter = pattern[at : at + 1]
    if not letter:
        raise Unreadable("a [ is not closed")
    if pattern.startswith("[:", at):
        end = pattern.find(":]", at)
        name = pattern[at + 2 : end]
        if end < 0 or name not in CLASSES:
            raise Unreadable(f"[:{name}:] is not supported")
        return CLASSES[name], end + 2
    if letter == "\\":
        following = pattern[at + 1 : at + 2]
        if following in ("d", "w", "s"):
            return CLASSES[following], at + 2
        if following in ("n", "t", "r", "f", "v", "a"):
            return f"\\{following}", at + 2
        if following in SIGNS:
            return f"\\{following}", at + 2
        raise Unreadable(f"\\{following} in […] is not supported")
    return f"\\{letter}" if letter in "[]&~|" else letter, at + 1


def globbed(pattern: str) -> str:
    """A glob over bytes, each as a letter of its own."""
    text, at = "", 0
    letters = bytewise(pattern)
    while at < len(letters):
        letter = letters[at]
        if letter == "[":
            end = letters.find("]", at + 2)
            if end < 0:
                raise Unreadable("a [ is not closed")
            inner = letters[at + 1 : end]
            turned = inner[:1] == "!" and len(inner) > 1
            inner = "".join(c if c == "-" else re.escape(c) for c in inner[turned:])
            text, at = text + f"[{'^' * turned}{inner}]", end + 1
            continue
        if letter == "\\" and at + 1 < len(letters):
            at, letter = at + 1, letters[at + 1]
            text, at = text + re.escape(letter), at + 1
            continue
        text, at = text + {"*": ".*", "?": "."}.get(letter, re.escape(letter)), at + 1
    try:
        re.compile(text)
    except re.error as problem:
        raise Unreadable(str(problem)) from None
    return f"(?s){text}"


def replacement(text: str) -> str:
    """What stands for a match: \\0 to \\9 are its groups. Raises Unreadable."""
    if re.sub(r"\\[0-9\\]", "", text).count("\\"):
        raise Unreadable("in a replacement, \\ is followed by a digit or \\")
    return text
