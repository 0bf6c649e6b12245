"""A board's log on servers that run elsewhere: a cluster of one's own, or a company's NATS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dataflow.nats import streams
from dataflow.nats.errors import ServerFailed
from dataflow.nats.streams import BoardStream


async def make(
    board: str, urls: Sequence[str], replicas: int | None, sources: Sequence[str],
    identity: Path | None = None, ca: Path | None = None,
) -> tuple[BoardStream, int]:  # fmt: skip
    """The board's stream, made if there is none, and on how many servers it is: `replicas`, or as it was (new: 1).

    Raises ServerError.
    """
    from dataflow.nats.connection import NotAdmitted, Unreachable, connect

    try:
        connection = await connect(urls, "watchfloor stream", identity, _nothing, _ignore, ca)
    except (NotAdmitted, Unreachable) as error:
        raise ServerFailed(str(error)) from None
    try:
        stream = await streams.ensure(connection.client, board, replicas or 1, sources)
        return stream, await streams.replicate(connection.client, board, replicas)
    finally:
        await connection.close()


def _nothing() -> None:
    """A lost connection is told by the request that fails."""


def _ignore(_: str) -> None:
    """What is not permitted is not answered, and that is told."""
