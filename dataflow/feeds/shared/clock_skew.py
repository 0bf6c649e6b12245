"""Is this machine's clock right? The server says what time it has with every answer about the stream.

The server's clock was read between the question and the answer, so what lies outside of that span is certain. A clock
that is wrong harms neither the log nor its order, but what a desk calls `now()`, and the times of its entries.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataflow.nats.connection import Connection

WORTH_US = 20_000_000
"""Less than this is told to nobody."""
LOOK_S = 60.0
"""How often it is looked at again: somebody may have set the clock."""
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def off(asked: int, answered: int, theirs: int) -> int:
    """By how many µs this clock is ahead of the server's for certain, below 0 behind it; all times in µs."""
    if asked > theirs:
        return asked - theirs
    return min(0, answered - theirs)


def told(off: int) -> str:
    """"this desk's clock is 1 hour ahead of the server's"; nothing where it is not worth telling."""
    if abs(off) < WORTH_US:
        return ""
    way = "ahead of" if off > 0 else "behind"
    return f"this desk's clock is {span(abs(off))} {way} the server's; set it right, for entries carry its time"


def span(us: int) -> str:
    """"1 hour", "90 minutes": in the largest unit that tells it within a twentieth."""
    seconds = us / 1e6
    fitting = ((round(seconds / size), size, unit) for size, unit in _UNITS)
    count, unit = next(
        (count, unit) for count, size, unit in fitting if size == 1 or abs(seconds - count * size) * 20 <= seconds
    )
    return f"{count:,} {unit}{'' if count == 1 else 's'}"


async def watch(connection: Connection, board: str, now: Callable[[], int], tell: Callable[[str], None]) -> None:
    """Look now and then, as long as the connection lasts."""
    from nats.errors import Error

    from dataflow.nats.errors import ServerError
    from dataflow.nats.streams import clock

    while not connection.lost:
        with suppress(Error, ServerError):
            asked = now()
            theirs = await clock(connection.client, board)
            if theirs:
                tell(told(off(asked, now(), theirs)))
        await asyncio.sleep(LOOK_S)
