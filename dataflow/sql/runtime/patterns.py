r"""Regular expressions: RE2's, which are DuckDB's. What means the same in Python is written for `re` too, which is
quicker for short texts; `searches.py` says which of both reads a text. RE2 refuses look-around and back references.

Classes are ASCII ones in RE2 whatever the text, so `\d`, `\w`, `\s` and `[:alpha:]` are written out for Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dataflow.sql.runtime.pattern_costs import Part

CLASSES = {
    "d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\f\r ", "alpha": "A-Za-z", "digit": "0-9", "alnum": "0-9A-Za-z",
    "upper": "A-Z", "lower": "a-z", "space": r"\t\n\v\f\r ", "punct": r"!-/:-@\[-`{-~", "xdigit": "0-9A-Fa-f",
    "word": "0-9A-Za-z_", "blank": r"\t ", "cntrl": r"\x00-\x1f\x7f", "print": " -~", "graph": "!-~",
}  # fmt: skip
FLAGS = {"i": "i", "s": "s", "c": "", "g": "", "l": ""}
REPEAT = re.compile(r"\{(\d{1,4})(,(\d{0,4}))?\}")
GROUP = re.compile(r"\?(?::|P<[A-Za-z_]\w*>)", re.ASCII)
NAMED = re.compile(r"(?<!\\)(?:\\\\)*\(\?<")
SIGNS = frozenset("!\"#%&',-/:;<=>@_`~ .^$*+?()[]{}|\\")
ENDLESS = 1 << 62
"""The most repeats of `*`."""


class Unreadable(ValueError):
    """A pattern that cannot be read, or not as Python's; the message says why."""


def flagged_pattern(pattern: str, options: str = "") -> str:
    """The pattern with DuckDB's options written into it, as RE2 reads it. Raises Unreadable."""
    unknown = set(options) - FLAGS.keys()
    if unknown:
        raise Unreadable(f"the option '{min(unknown)}' is not supported")
    inner = re.sub(r"[!-/:-@\[-`{-~]", r"\\\g<0>", pattern) if "l" in options else pattern
    flags = "".join(sorted({FLAGS[option] for option in options}))
    return f"(?{flags}){inner}" if flags else inner


def check_pattern(pattern: str) -> int:
    """How many groups a pattern has. Raises Unreadable where RE2 refuses it."""
    if NAMED.search(pattern):
        raise Unreadable("(?< is not supported")
    return int(re2_pattern(pattern).groups)


def re2_pattern(pattern: str, *, spans: bool = True) -> Any:
    """RE2's own, which reads UTF-8; without `spans` it tells quicker whether a text matches. Raises Unreadable."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.never_capture = not spans
    try:
        return re2.compile(pattern.encode(), options)
    except re2.error as problem:
        reason = problem.args[0] if problem.args else ""
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise Unreadable(text or "RE2 does not read it") from None


def python_parts(pattern: str) -> tuple[str, list[Part]]:
    """The flags at its beginning, and the pattern's parts as Python writes them. Raises Unreadable."""
    flags = re.match(r"\(\?([is]{1,2})\)", pattern)
    parts = list(_parts(pattern[flags.end() :] if flags else pattern))
    return flags[1] if flags else "", parts


def _parts(pattern: str) -> Iterator[Part]:
    at, size = 0, len(pattern)
    while at < size:
        letter = pattern[at]
        repeat = REPEAT.match(pattern, at) if letter == "{" else None
        if letter in "*+?" or repeat:
            part, at = _repeat(pattern, at, repeat)
        elif letter == "\\":
            part, at = _escape(pattern, at)
        elif letter == "[":
            text, at = _set(pattern, at)
            part = Part("one", text)
        elif letter == "(":
            part, at = _group(pattern, at)
        else:
            part, at = PLAIN.get(letter) or Part("one", letter), at + 1
        yield part


PLAIN = {
    "$": Part("mark", r"\Z"), "^": Part("mark", "^"), "{": Part("one", r"\{"), "}": Part("one", r"\}"),
    "|": Part("or", "|"), ")": Part("close", ")"),
}  # fmt: skip


def _repeat(pattern: str, at: int, counted: re.Match[str] | None) -> tuple[Part, int]:
    text, at = (pattern[at], at + 1) if counted is None else (counted[0], counted.end())
    lazy = pattern[at : at + 1] == "?"
    at += lazy
    if pattern[at : at + 1] in ("*", "+", "?"):
        raise Unreadable(f"a repeat of a repeat, near '{text}'")
    if counted is None:
        low, high = {"*": (0, ENDLESS), "+": (1, ENDLESS), "?": (0, 1)}[text]
    else:
        low = int(counted[1])
        high = low if counted[2] is None else int(counted[3]) if counted[3] else ENDLESS
    return Part("repeat", text + "?" * lazy, low, high), at


def _escape(pattern: str, at: int) -> tuple[Part, int]:
    letter = pattern[at + 1 : at + 2]
    if letter in ("d", "w", "s"):
        return Part("one", f"[{CLASSES[letter]}]"), at + 2
    if letter in ("D", "W", "S"):
        return Part("one", f"[^{CLASSES[letter.lower()]}]"), at + 2
    if letter in ("b", "B"):
        return Part("mark", f"(?a:\\{letter})"), at + 2
    if letter in ("n", "t", "r", "f", "v", "a"):
        return Part("one", f"\\{letter}"), at + 2
    if letter in ("A", "z"):
        return Part("mark", r"\A" if letter == "A" else r"\Z"), at + 2
    if letter and letter in SIGNS:
        return Part("one", re.escape(letter)), at + 2
    raise Unreadable(f"\\{letter} is not supported")


def _group(pattern: str, at: int) -> tuple[Part, int]:
    if pattern[at + 1 : at + 2] != "?":
        return Part("open", "("), at + 1
    known = GROUP.match(pattern, at + 1)
    if not known:
        raise Unreadable(f"{pattern[at : at + 4]}… is not supported")
    return Part("open", "(" + known[0]), known.end()


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
        if following in ("n", "t", "r", "f", "v", "a") or (following and following in SIGNS):
            return f"\\{following}", at + 2
        raise Unreadable(f"\\{following} in […] is not supported")
    return f"\\{letter}" if letter in "[]&~|" else letter, at + 1


def check_replacement(text: str) -> int:
    """The highest group of \\0 to \\9 in what stands for a match. Raises Unreadable."""
    if re.sub(r"\\[0-9\\]", "", text).count("\\"):
        raise Unreadable("in a replacement, \\ is followed by a digit or \\")
    return max((int(digit) for digit in re.findall(r"\\([0-9])", text.replace("\\\\", ""))), default=0)
