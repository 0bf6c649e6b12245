"""Sessions with a shared log: one connection from beginning to end, with all that lasts as long, and why it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from nats.errors import Error

from dataflow.devices.sources import Sources
from dataflow.feeds.shared import clock_skew, liveness, missing_sources
from dataflow.feeds.shared.connection_tasks import run_tasks
from dataflow.feeds.shared.follower import Follower
from dataflow.feeds.shared.log_match import LogMismatch
from dataflow.feeds.shared.presence import Presence
from dataflow.feeds.shared.publisher import Publisher
from dataflow.feeds.shared.status_report import StatusReport
from dataflow.feeds.shared.subscription import Lost
from dataflow.nats.connection import Connection, NotAdmitted, Unreachable, connect, role_of
from dataflow.nats.errors import ServerError, StreamSilent
from dataflow.nats.streams import BoardStream
from dataflow.session import FeedState
from storage.errors import PositionTaken


class Desk(msgspec.Struct, frozen=True):
    """Who follows which log: `urls` of servers, the board, the operator with identity file and authorities' file."""

    urls: Sequence[str]
    board: str
    operator: str
    identity: Path | None = None
    ca: Path | None = None


class Sessions:
    """One after the other. `now` is the desk's clock in µs; `sources` are the board's now."""

    def __init__(
        self,
        desk: Desk,
        follower: Follower,
        publisher: Publisher,
        presence: Callable[[str], Presence],
        report: StatusReport,
        now: Callable[[], int],
        sources: Callable[[], Sources | None],
    ) -> None:
        self._desk, self._follower, self._publisher = desk, follower, publisher
        self._presence, self._report = presence, report
        self._now, self._sources = now, sources
        self._others: Sequence[str] = ()

    @property
    def followed(self) -> bool:
        """Whether the last one got as far as to follow the log."""
        return self._follower.followed

    async def run_one(self) -> tuple[FeedState, str]:
        """Connect and follow the log until the connection ends; how the feed stands then, and why.

        Raises StoreClosed.
        """
        self._follower.followed = False
        desk, wakes = self._desk, list[Callable[[], None]]()
        who = f"watchfloor {desk.operator}", desk.identity
        self._report.mismatch = False
        try:
            connection = await connect(
                desk.urls, *who, lambda: _call_all(wakes), self._publisher.deny, desk.ca, self._others
            )
        except Unreachable as error:
            return "offline", str(error)
        except NotAdmitted as error:
            return "refused", str(error)
        try:
            await self._follow(connection, wakes)
        except (LogMismatch, PositionTaken) as error:
            self._report.mismatch = True
            return "refused", str(error)
        except (ServerError, Lost, Error, OSError) as error:
            return _explain_end(connection, error)
        finally:
            self._others = connection.others
            await connection.close()
        return "offline", "closed"

    async def _follow(self, connection: Connection, wakes: list[Callable[[], None]]) -> None:
        stream = await self._follower.check_log(connection)
        caught_up = asyncio.Event()
        async with run_tasks(connection, *self._tasks(connection, stream, caught_up)):
            await self._follower.follow(connection, stream, caught_up, wakes)

    def _tasks(
        self, connection: Connection, stream: BoardStream, caught_up: asyncio.Event
    ) -> Sequence[Coroutine[Any, Any, None]]:
        board, warn = self._desk.board, self._report.warn
        in_cluster = len(self._desk.urls) + len(connection.others) > 1
        return (
            self._publisher.run(connection, caught_up, stream.batches, in_cluster),
            self._presence(role_of(self._desk.identity)).run(connection),
            clock_skew.watch_clock(connection, board, self._now, partial(warn, "clock")),
            missing_sources.watch_sources(connection, board, self._sources, partial(warn, "sources")),
            liveness.watch_liveness(connection, self._now, self._report.hear),
        )


def _explain_end(connection: Connection, error: Exception) -> tuple[FeedState, str]:
    """What it means that a session ended with this error."""
    if isinstance(error, StreamSilent):
        denied = "permissions violation" in str(connection.last_error)
        return ("refused", f"{error}: this identity may not ask") if denied else ("offline", str(error))
    if isinstance(error, ServerError):
        return "refused", str(error)
    why = str(connection.last_error or "") or str(error) or "closed"
    return "offline", f"the connection was lost ({why})"


def _call_all(functions: Sequence[Callable[[], None]]) -> None:
    for function in functions:
        function()
