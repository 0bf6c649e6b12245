"""Does the shared log take what the board's `[sources]` want? It is told where it does not.

The board file of a desk and the one that the server was given may differ, and a source that the log does not take would
be silent for ever. Looked at when a connection begins, soon after the board has changed, and now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from dataflow.devices.sources import Sources

if TYPE_CHECKING:
    from dataflow.nats.connection import Connection

TICK_S = 5.0
"""A server that has the same board file takes up its sources within this time."""
LOOK_S = 60.0


def describe_missing(wanted: Sequence[str], taken: Sequence[str]) -> str:
    """Describe in one line what the log does not take; "" where nothing is missing."""
    missing = sorted(set(wanted) - set(taken))
    if not missing:
        return ""
    listed = ", ".join(missing)
    return f"the server's log does not take {listed}; give `watchfloor serve` this board file, with its sources"


async def watch_sources(
    connection: Connection, board: str, sources: Callable[[], Sources | None], tell: Callable[[str], None]
) -> None:
    """Look as long as the connection lasts, and call `tell` with the words."""
    from nats.errors import Error

    from dataflow.nats.errors import ServerError
    from dataflow.nats.streams import find

    loop, known, missing, looked = asyncio.get_running_loop(), None, "", 0.0
    while not connection.lost:
        now = sources()
        if now is not None and (now is not known or missing or loop.time() - looked >= LOOK_S):
            with suppress(Error, ServerError):
                taken = (await find(connection.client, board)).sources if now.subjects else ()
                missing = describe_missing(now.subjects, taken)
                known, looked = now, loop.time()
                tell(missing)
        await asyncio.sleep(TICK_S)
