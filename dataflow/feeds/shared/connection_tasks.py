"""Work that lasts as long as a connection, beside following the log: publishing, presence, and what watches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from dataflow.nats.tasks import cancel_until_done

if TYPE_CHECKING:
    from dataflow.nats.connection import Connection


@asynccontextmanager
async def run_tasks(connection: Connection, *works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run these for the length of a with block.

    The connection is closed when one ends: it is of no use without it. Raises at the end what one raised.
    """
    tasks = [asyncio.create_task(_lasting(connection, work)) for work in works]
    try:
        yield
    finally:
        try:
            await cancel_all(tasks)
        finally:
            for work in works:
                work.close()  # one that was cancelled before it began


async def _lasting(connection: Connection, work: Coroutine[Any, Any, None]) -> None:
    from nats.errors import Error

    try:
        await work
    except (Error, OSError) as error:
        connection.last_error = error
    except Exception:
        await connection.close()
        raise
    await connection.close()


async def cancel_all(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks until they are done. Raises what one raised."""
    await cancel_until_done(tasks)
    for task in tasks:
        if not task.cancelled() and (error := task.exception()):
            raise error
