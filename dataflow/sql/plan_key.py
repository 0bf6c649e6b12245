"""The key of a cached plan: the query's text and all of the schema that it was made against.

The compiler's own version is the cache's business (`engine/plan_cache.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec


def digest(sql: str, *schema: Mapping[str, Any]) -> str:
    """The order of columns counts: rows are tuples."""
    parts = [
        [name, list(held.items()) if isinstance(held, Mapping) else held]
        for part in schema
        for name, held in part.items()
    ]
    return hashlib.blake2b(msgspec.json.encode([sql, parts]), digest_size=16).hexdigest()
