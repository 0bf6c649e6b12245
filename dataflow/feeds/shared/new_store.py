"""The way out of a shared log that does not fit a store: the same board on a new store, with its operator's entries."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from storage.database import Database
from storage.mirror import Mirror
from storage.renewal import Renewed, free_path, renew


class NoAnswer(Exception):
    """Without the server nobody knows what it has lost; nothing was changed."""


async def make_new_store(
    urls: Sequence[str], board: str, author: str, old: Path, identity: Path | None = None, ca: Path | None = None
) -> tuple[Path, Renewed]:
    """A new store beside `old`, which nothing may have open. Raises NoAnswer, ServerError and StorageError."""
    with Database.open(old, create=False) as database:
        source = Mirror(database).source
    begin = await _begin(urls, board, identity, ca, source)
    new = free_path(old)
    with ThreadPoolExecutor(1) as beside_the_loop:
        return new, await asyncio.wrap_future(beside_the_loop.submit(renew, old, new, author, begin))


async def _begin(
    urls: Sequence[str], board: str, identity: Path | None, ca: Path | None, source: str | None
) -> int | None:
    """Where the server's log begins, if it is the one that the store mirrors."""
    from nats.errors import Error

    from dataflow.nats.connection import NotAdmitted, Unreachable, connect
    from dataflow.nats.streams import find

    try:
        connection = await connect(urls, "watchfloor", identity, lambda: None, lambda _: None, ca)
        try:
            stream = await find(connection.client, board)
        finally:
            await connection.close()
    except (NotAdmitted, Unreachable, Error, OSError) as error:
        raise NoAnswer(f"{error}; the server has to say what it holds before a new store can follow it") from None
    return stream.first if stream.log == source else None
