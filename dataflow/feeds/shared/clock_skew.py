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


def measure_skew(asked: int, answered: int, theirs: int) -> int:
    """Return by how many µs this clock is certainly ahead of the server's; below 0: behind it. All times in µs."""
    if asked > theirs:
        return asked - theirs
    return min(0, answered - theirs)


def describe_skew(skew: int) -> str:
    """Describe it: "this desk's clock is 1 hour ahead of the server's"; "" where it is too small to matter."""
    if abs(skew) < WORTH_US:
        return ""
    way = "ahead of" if skew > 0 else "behind"
    clock = f"this desk's clock is {describe_span(abs(skew))} {way} the server's"
    return f"{clock}; set it right, for entries carry its time"


def describe_span(us: int) -> str:
    """Describe a time: "1 hour", "90 minutes", in the largest unit that tells it within a twentieth."""
    seconds = us / 1e6
    fitting = ((round(seconds / size), size, unit) for size, unit in _UNITS)
    count, unit = next(
        (count, unit) for count, size, unit in fitting if size == 1 or abs(seconds - count * size) * 20 <= seconds
    )
    return f"{count:,} {unit}{'' if count == 1 else 's'}"


async def watch_clock(connection: Connection, board: str, now: Callable[[], int], tell: Callable[[str], None]) -> None:
    """Measure now and then, as long as the connection lasts, and call `tell` with the words."""
    from nats.errors import Error

    from dataflow.nats.errors import ServerError
    from dataflow.nats.streams import clock

    while not connection.lost:
        with suppress(Error, ServerError):
            asked = now()
            theirs = await clock(connection.client, board)
            if theirs:
                tell(describe_skew(measure_skew(asked, now(), theirs)))
        await asyncio.sleep(LOOK_S)
