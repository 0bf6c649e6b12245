"""What a desk of the demo is told by the process that started it."""

from __future__ import annotations

import msgspec


class Seat(msgspec.Struct, frozen=True):
    """Whose desk it is, which one (from 0) of how many, and where its log and its store are."""

    operator: str
    number: int
    of: int
    url: str
    store: str
    theme: str | None = None
