"""How DuckDB reads the right side of ->, ->> and json_extract: a text to the keys and indices that lead to a value.

A text that starts with $ is a JSON path, one that starts with / a JSON pointer, any other a key; the empty text is the
whole value. A key with a double quote in it is read as a pointer, as DuckDB 2.0.0 does. Wildcards give lists, which no
row can hold, and are none of ours.
"""

from __future__ import annotations

import re

PART = re.compile(
    r'\.(?:"(?P<quoted>(?:[^"\\]|\\.)+)"|(?P<key>[^."\[*][^.\[]*))|\[(?P<back>#?-)?(?P<index>\d{1,18})\]'
)
Step = str | int | list[str]
"""A key, an index (from the end where it is below zero), or a pointer's step: either, by what it leads into."""


def json_steps(path: str) -> list[Step] | None:
    """The steps of a path; None where it is no path, or one with wildcards."""
    if not path:
        return []
    if path[0] == "$":
        return _of_path(path[1:])
    if path[0] == "/" or '"' in path:
        return _of_pointer(path.removeprefix("/"))
    return None if path == "*" else [path]


def _of_path(rest: str) -> list[Step] | None:
    found: list[Step] = []
    at = 0
    while at < len(rest):
        part = PART.match(rest, at)
        if part is None:
            return None
        key = re.sub(r"\\(.)", r"\1", part["quoted"]) if part["quoted"] else part["key"]
        if key == "*":
            return None
        found.append(key if key is not None else int(part["index"]) * (-1 if part["back"] else 1))
        at = part.end()
    return found


def _of_pointer(rest: str) -> list[Step]:
    return [[step.replace("~1", "/").replace("~0", "~")] for step in rest.split("/")]
