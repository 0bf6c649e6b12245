"""Which sequences of a stream hold nothing: as the stream itself says, and nobody else.

A board's log deletes nothing, so its sequences follow one another, and one that does not come is a message that was
kept from us. But a stream of an older version, or one that others made, may have deletions, and a server may lose what
it held; then it says which. What it names is empty; anything else that is missing has to be fetched.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from dataflow.feeds.shared.log_match import check_begin

Describe = Callable[[], Awaitable[Mapping[str, Any]]]
"""Asks for what the stream says of itself, its deletions in full (STREAM.INFO with `deleted_details`)."""
LISTED = 3


class EmptyPositions:
    """The sequences of one stream that hold nothing, asked for when one does not come.

    `tell` is called with what a log that can't delete has lost; with "" where it has lost nothing.
    """

    def __init__(self, describe: Describe, tell: Callable[[str], None]) -> None:
        self._describe, self._tell = describe, tell
        self._known: set[int] = set()

    async def find_held(self, first: int, last: int) -> int:
        """Return the first sequence from `first` to `last` that the stream holds, as far as it says; 0: none.

        Raises LogMismatch where its beginning was taken away.
        """
        position = self._find_first(first, last)
        if position:
            await self._ask(first)
            position = self._find_first(first, last)
        return position

    def _find_first(self, first: int, last: int) -> int:
        return next((sequence for sequence in range(first, last + 1) if sequence not in self._known), 0)

    async def _ask(self, first: int) -> None:
        answer = await self._describe()
        state = answer.get("state") or {}
        check_begin(state.get("first_seq", 0), first - 1)
        gone = {*(state.get("deleted") or ()), *((state.get("lost") or {}).get("msgs") or ())}
        self._known = gone
        self._tell(describe_lost(gone) if (answer.get("config") or {}).get("deny_delete") else "")


def describe_lost(gone: set[int]) -> str:
    """Describe a log that can't delete and yet has lost messages."""
    if not gone:
        return ""
    listed = ", ".join(f"{sequence:,}" for sequence in sorted(gone)[:LISTED]) + ", …" * (len(gone) > LISTED)
    return f"the server lost {len(gone):,} of the log's messages, which nobody may delete (positions {listed})"
