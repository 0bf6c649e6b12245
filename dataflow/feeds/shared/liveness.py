"""When was the server last heard? Whatever came over the connection counts: an event, a heartbeat, somebody's presence.

A server says something every two seconds at the latest (`subscription.py`), so on a quiet board what is told here is so
old at the most.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataflow.nats.connection import Connection

LOOK_S = 0.25


async def watch_liveness(connection: Connection, now: Callable[[], int], tell: Callable[[int], None]) -> None:
    """Call `tell` with the time by the desk's clock `now` (µs) when the server was last heard, while connected."""
    loop = asyncio.get_running_loop()
    while not connection.lost:
        tell(now() - max(0, int((loop.time() - connection.heard) * 1e6)))
        await asyncio.sleep(LOOK_S)
