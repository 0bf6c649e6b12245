"""Does the shared log fit this store? What the stream says of itself, against what the store remembers.

A stream has an id that was made once, with it. Another id, an end before what the store holds, or a beginning after
what it needs next, and the two do not fit: nothing is deleted or sent, and the words say what to do. Pure functions.
"""

from __future__ import annotations

import msgspec

WAY_OUT = "this store is kept as it is; open the board with --fresh-store to follow the server on a new one"


class Unfit(Exception):
    """The shared log does not fit this store; `str` says why and what to do."""


class Held(msgspec.Struct, frozen=True):
    """What the store holds: of which log, up to where, and whether its own log is empty."""

    source: str | None
    cursor: int
    empty: bool


def check(log: str, first: int, last: int, held: Held) -> None:
    """A log with this id, from its first to its last position. Raises `Unfit`."""
    if held.source is None:
        if not held.empty:
            raise Unfit(f"this store holds a log of its own, not the server's; {WAY_OUT}")
        return
    if log != held.source:
        raise Unfit(f"the server's log is not the one that this store holds: it was made anew; {WAY_OUT}")
    if last < held.cursor:
        raise Unfit(f"the server's log ends at {last:,}, and this store at {held.cursor:,}: it lost events; {WAY_OUT}")
    check_begin(first, held.cursor)


def check_begin(first: int, cursor: int) -> None:
    """Raises `Unfit` where events that are needed next are gone."""
    if first > cursor + 1:
        raise Unfit(f"the server's log begins at {first:,}, and this store ends at {cursor:,}: purged; {WAY_OUT}")


def check_overlap(position: int, theirs: str, ours: str | None) -> None:
    """Both hold an event at the last position that the store has. Raises `Unfit` if it is not the same one."""
    if ours is not None and ours != theirs:
        raise Unfit(f"the server's log holds another event at position {position:,} than this store does; {WAY_OUT}")
