"""A notice: what went wrong in the views, for people and for the log file."""

from __future__ import annotations

from typing import NamedTuple


class Notice(NamedTuple):
    """An operator of `queries` was slow, or they were set aside. `error`: a bug of ours."""

    text: str
    queries: tuple[str, ...] = ()
    error: Exception | None = None
    aside: bool = False
