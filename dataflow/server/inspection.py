"""A store is looked at before anybody can reach it: is the log as long as it was, and what is in it that is not ours?

The server is started on it for us alone, at another port and without anybody else's key, and ended again.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dataflow.nats import streams
from dataflow.nats.errors import LogShortened
from dataflow.server import high_water
from dataflow.server.high_water import Mark
from dataflow.server.permissions import LOG
from dataflow.server.sweep import Sweeper

if TYPE_CHECKING:
    from collections.abc import Callable

    from nats.aio.client import Client

_BEFORE = "$G"
"""The account of the log in versions that had no other."""


def migrate(store: Path) -> None:
    """Move the log of an earlier version into the account where it is looked for now. Raises OSError."""
    before, now = accounts(store) / _BEFORE, accounts(store) / LOG
    if before.is_dir() and not now.exists():
        before.rename(now)


def accounts(store: Path) -> Path:
    """The folder in which nats-server keeps a folder for each account."""
    return store / "jetstream"


def is_there(store: Path) -> bool:
    """Whether a log, of whatever version, has been kept here."""
    return any((accounts(store) / name).is_dir() for name in (LOG, _BEFORE))


async def inspect(client: Client, board: str, folder: Path, accept_loss: bool, say: Callable[[str], object]) -> None:
    """Over a connection that nobody else can have. Raises LogShortened, StreamRefused, and nats' errors."""
    sweeper = Sweeper(client, board)
    others = await sweeper.other_streams()
    if others:
        say(f"The server keeps other streams too, which no desk reads: {', '.join(sorted(others))}")
    stream = await streams.find_or_none(client, board)
    mark = None if stream is None else Mark(stream.log, stream.last)
    compare(mark, board, folder, accept_loss, say)
    if stream is not None and (removed := await sweeper.clear()):
        say(f"Removed {removed:,} consumers of the log that were left from an earlier run")


def compare(
    found: Mark | None, board: str, folder: Path, accept_loss: bool, say: Callable[[str], object]
) -> None:
    """The log (None: there is none) beside the mark of earlier runs. Raises LogShortened."""
    try:
        high_water.check(high_water.read(folder), found, board, folder)
    except LogShortened as error:
        if not accept_loss:
            raise
        say(f"Served all the same: {str(error).partition(';')[0]}")
        high_water.write(folder, found or Mark("", 0))
