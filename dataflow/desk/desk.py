"""A desk: a board's pipeline on a store, with the feed and the clock that fit, composed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reactivex.scheduler.eventloop import AsyncIOScheduler

from dataflow.board import Board
from dataflow.boards.check import check, engine_for
from dataflow.boards.file import BoardFile, LoadedBoard
from dataflow.boards.problems import BoardProblem
from dataflow.clock import Clock, FixedClock, ReplayClock, WallClock
from dataflow.desk.pipeline import Pipeline
from dataflow.engine.plan_cache import PlanCache
from dataflow.feeds.feed import Deliver, Feed, FeedStatus
from dataflow.feeds.local import LocalFeed, StillFeed
from dataflow.feeds.recording import read_recording
from dataflow.feeds.replay import ReplayFeed
from dataflow.feeds.shared_clock import Replay, SharedReplayClock
from storage.database import Database
from storage.errors import StorageError
from storage.mirror import Mirror

if TYPE_CHECKING:
    from dataflow.feeds.shared.feed import NatsFeed


class Desk:
    """An open store and the pipeline on it. Close it to release both."""

    def __init__(
        self, database: Database, pipeline: Pipeline, feed_closed: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """`feed_closed` waits until the feed, told to close, has let go of its connection and of the store."""
        self.database = database
        self.pipeline = pipeline
        self._feed_closed = feed_closed

    async def close(self) -> None:
        await self.pipeline.close()
        if self._feed_closed is not None:
            await self._feed_closed()
        self.database.close()


def deliver_on(loop: asyncio.AbstractEventLoop) -> Deliver:
    """Run functions on the loop's thread, from any thread; once the loop is closed there is nobody to tell."""

    def deliver(function: Callable[..., Any], *arguments: Any) -> None:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(function, *arguments)

    return deliver


class DeskBuilder:
    """Opens desks on one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, author: str, plans: PlanCache | None) -> None:
        self._loop = loop
        self._author = author
        self._plans = plans
        self._scheduler = AsyncIOScheduler(loop)
        self._deliver = deliver_on(loop)

    def live(self, loaded: LoadedBoard, store: Path) -> Desk:
        """A live board on its own store. Raises `StoreMirrors` where the store is a shared log's."""
        database = Database.open(store)
        mirror = Mirror(database)
        try:
            mirror.refuse()
        except StorageError:
            database.close()
            raise
        if mirror.shared_log:
            mirror.follow("")
        return self._local(loaded, database, WallClock(self._scheduler))

    def shared(
        self, loaded: LoadedBoard, store: Path, urls: Sequence[str], identity: Path | None = None,
        ca: Path | None = None,
    ) -> Desk:  # fmt: skip
        """A live board on a shared log; its store mirrors that log, and opens whether or not a server answers.

        `ca`: who must have signed the servers' certificates (PEM); None: somebody whom this machine trusts.
        """
        database = Database.open(store)
        feed = self._follow(loaded, database, urls, identity, ca, lambda: desk.pipeline.board)
        desk = self._desk(loaded, database, feed, WallClock(self._scheduler))
        return Desk(database, desk.pipeline, feed.closed)

    def shared_replay(self, loaded: LoadedBoard, store: Path, urls: Sequence[str], replay: Replay) -> Desk:
        """A board on a shared log to which somebody tells a recording (`feeds/shared/replayer.py`), at its time."""
        from dataflow.feeds.shared_replay import SharedReplayFeed

        database, clock = Database.open(store), SharedReplayClock(self._scheduler, replay)
        log = self._follow(loaded, database, urls)
        desk = self._desk(loaded, database, SharedReplayFeed(log, clock, self._scheduler), clock)
        return Desk(database, desk.pipeline, log.closed)

    def still(self, loaded: LoadedBoard, store: Path, now: int | None) -> Desk:
        """A board at one moment, by default that of the last event in its store, or when that last heard of a shared
        log. The store is only read.
        """
        database = Database.open_read_only(store)
        mirror = Mirror(database)
        last = mirror.heard if mirror.shared_log else database.log.last_time()
        status = FeedStatus("offline", heard=last, log=mirror.shared_log) if mirror.shared_log else FeedStatus("live")
        feed = StillFeed(database.log, self._scheduler, self._deliver, status)
        return self._desk(loaded, database, feed, FixedClock(last if now is None else now))

    def demo(self, loaded: LoadedBoard, recording: Path, start: int, speed: float, *, held: bool = False) -> Desk:
        """A replay of a recording into a fresh store, which is gone when the desk is closed."""
        database = Database.open(None)
        events = read_recording(recording)
        clock = ReplayClock(self._scheduler, start, max(start, events[-1].time), speed)
        feed = ReplayFeed(events, clock, database.log, self._scheduler, self._deliver, held=held)
        return self._desk(loaded, database, feed, clock)

    def _follow(
        self, loaded: LoadedBoard, database: Database, urls: Sequence[str], identity: Path | None = None,
        ca: Path | None = None, board: Callable[[], Board] | None = None,
    ) -> NatsFeed:  # fmt: skip
        from dataflow.feeds.shared.feed import NatsFeed

        database.outbox.sign(self._author)
        return NatsFeed(
            urls, loaded.board.id, self._author, database, self._scheduler, self._deliver, self._loop, identity, ca,
            board,
        )  # fmt: skip

    def _check(self, loaded: LoadedBoard) -> list[BoardProblem]:
        """What is wrong with the SQL of a board that was saved: such a one is not taken up."""
        return check(loaded, lambda board: engine_for(board, self._plans))

    def _local(self, loaded: LoadedBoard, database: Database, clock: Clock) -> Desk:
        return self._desk(loaded, database, LocalFeed(database.log, self._scheduler, self._deliver), clock)

    def _desk(self, loaded: LoadedBoard, database: Database, feed: Feed, clock: Clock) -> Desk:
        file = BoardFile(loaded.path, self._check, known=loaded)
        pipeline = Pipeline(
            file, loaded, database, feed, clock, self._scheduler, self._deliver, self._loop,
            author=self._author, plans=self._plans,
        )  # fmt: skip
        return Desk(database, pipeline)
