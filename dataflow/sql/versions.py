"""The key of a cached plan: what it was made from, and by which compiler."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec


@cache
def compiler_version() -> str:
    """Changes with every byte of this folder, so a plan never outlives the compiler that made it."""
    found = hashlib.blake2b(version("sqlglot").encode(), digest_size=16)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()


def digest(sql: str, *schema: Mapping[str, Any]) -> str:
    """The key of a query's plan. Order of columns matters: rows are tuples."""
    parts = msgspec.json.encode([sql, compiler_version(), [list(part.items()) for part in schema], _ordered(schema)])
    return hashlib.blake2b(parts, digest_size=16).hexdigest()


def _ordered(schema: tuple[Mapping[str, Any], ...]) -> list[list[Any]]:
    return [[name, list(value)] for part in schema for name, value in part.items() if not isinstance(value, str)]
