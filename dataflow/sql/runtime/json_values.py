"""What generated code calls to read JSON, which is kept as its text."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import msgspec

from dataflow.sql.runtime.limits import DEEPEST

__all__ = ["json_field", "json_get", "json_text"]

BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}]')
"""Of JSON's own: a text, which hides what is in it, or a bracket."""
INDEX = re.compile(r"0|[1-9]\d{0,17}")


def json_text(value: Any) -> str:
    """Raw. NULL is JSON's null."""
    return msgspec.json.encode(value).decode()


def shallow_text(value: Any) -> str | None:
    """The text of a value that is not nested deeper than `DEEPEST`, whoever asks: else None."""
    try:
        text = json_text(value)
    except RecursionError:
        return None
    return text if text.count("{") + text.count("[") <= DEEPEST or _depth(text) <= DEEPEST else None


def _depth(text: str) -> int:
    """How deep a JSON text is nested."""
    depth = deepest = 0
    for part in BRACKETS.findall(text):
        if part in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif part in "}]":
            depth -= 1
    return deepest


@lru_cache(maxsize=1024)
def _steps(path: str) -> tuple[Any, ...]:
    return tuple(msgspec.json.decode(path))


def json_get(text: str, path: str) -> str | None:
    """The JSON text at a path (`expressions/json_paths.py`, its steps as JSON), itself JSON; None where there is
    nothing."""
    try:
        value = msgspec.json.decode(text)
        for step in _steps(path):
            value = _inside(value, step)
        return json_text(value)
    except (msgspec.DecodeError, LookupError, RecursionError):
        return None


def _inside(value: Any, step: str | int | list[str]) -> Any:
    """What a key leads to in an object, or an index in an array. Raises LookupError: they lead nowhere else."""
    if isinstance(step, list):
        step = int(step[0]) if isinstance(value, list) and INDEX.fullmatch(step[0]) else step[0]
    if isinstance(step, str) and isinstance(value, dict):
        return value[step]
    if isinstance(step, int) and isinstance(value, list):
        return value[step]
    raise LookupError


def json_field(text: str, path: str) -> str | None:
    """As `json_get`, with text bare and JSON's null as NULL."""
    found = json_get(text, path)
    if found is None or found == "null":
        return None
    return msgspec.json.decode(found) if found[0] == '"' else found
