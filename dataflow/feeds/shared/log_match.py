"""Does the shared log fit this store? What the stream says of itself, against what the store remembers.

A stream has an id that was made once, with it. Another id, an end before what the store holds, or a beginning after
what it needs next, and the two do not fit: nothing is deleted or sent, and the words say what to do. Pure functions.
"""

from __future__ import annotations

import msgspec

WAY_OUT = "this store is kept as it is; open the board with --fresh-store to follow the server on a new one"


class LogMismatch(Exception):
    """The shared log does not fit this store; `str` says why and what to do."""


class StoreState(msgspec.Struct, frozen=True):
    """What the store holds: of which log, up to where, and whether its own log is empty."""

    source: str | None
    cursor: int
    empty: bool


def check_match(log: str, first: int, last: int, held: StoreState) -> None:
    """Check a log with this id, from its first to its last position. Raises LogMismatch."""
    if held.source is None:
        if not held.empty:
            raise LogMismatch(f"this store holds a log of its own, not the server's; {WAY_OUT}")
        return
    if log != held.source:
        raise LogMismatch(f"the server's log is not the one that this store holds: it was made anew; {WAY_OUT}")
    if last < held.cursor:
        ends = f"the server's log ends at {last:,}, and this store at {held.cursor:,}"
        raise LogMismatch(f"{ends}: it lost events; {WAY_OUT}")
    check_begin(first, held.cursor)


def check_begin(first: int, cursor: int) -> None:
    """Check that the events that are needed next are there. Raises LogMismatch."""
    if first > cursor + 1:
        raise LogMismatch(f"the server's log begins at {first:,}, and this store ends at {cursor:,}: purged; {WAY_OUT}")


def check_overlap(position: int, theirs: str, ours: str | None) -> None:
    """Check that both hold the same event at the last position that the store has. Raises LogMismatch."""
    if ours is not None and ours != theirs:
        other = f"the server's log holds another event at position {position:,} than this store does"
        raise LogMismatch(f"{other}; {WAY_OUT}")
