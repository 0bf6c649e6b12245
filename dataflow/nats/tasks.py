"""Ending what runs beside a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

_AGAIN_S = 0.2


async def cancel_until_done(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks until they are done: on Python 3.11 `wait_for` may lose a cancellation."""
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN_S)
