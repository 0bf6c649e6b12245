"""What generated code calls to read JSON, which is kept as its text."""

from __future__ import annotations

from typing import Any

import msgspec


def json_text(value: Any) -> str:
    """Raw. NULL is JSON's null."""
    return msgspec.json.encode(value).decode()


def json_get(text: str, path: str) -> str | None:
    """The JSON text at a path of keys and indices, itself JSON; None where there is nothing."""
    try:
        value = msgspec.json.decode(text)
        for step in msgspec.json.decode(path):
            value = value[step]
    except (msgspec.DecodeError, KeyError, IndexError, TypeError):
        return None
    return json_text(value)


def json_field(text: str, path: str) -> str | None:
    """As `json_get`, with text bare and JSON's null as NULL."""
    found = json_get(text, path)
    if found is None or found == "null":
        return None
    return msgspec.json.decode(found) if found[0] == '"' else found
