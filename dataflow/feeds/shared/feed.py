"""The NATS feed: a board's log is a JetStream stream, and this store is its mirror.

One task, one connection after the other: connect, check that the stream is the one that the store mirrors, follow it
from the cursor on, and publish what waits. Only what is on disk is told. A connection that is lost or refused is
followed by another, after a pause.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reactivex.abc import SchedulerBase
from reactivex.subject import BehaviorSubject, Subject

from dataflow.clock import scheduler_time
from dataflow.devices.sources import Sourced
from dataflow.feeds.feed import Deliver, FeedStatus, OnReturn, Refusal
from dataflow.feeds.shared.own_entries import OwnEntries
from dataflow.feeds.shared.receiver import Received, Receiver
from dataflow.feeds.shared.status_report import StatusReport
from dataflow.session import Present
from storage.database import Database
from storage.errors import StoreClosed
from storage.event import Event
from storage.mirror import Mirror

if TYPE_CHECKING:
    from dataflow.board import Board
    from dataflow.feeds.shared.presence import Presence
    from dataflow.feeds.shared.publisher import Publisher
    from dataflow.feeds.shared.session import Sessions

CLOSING_S = 2.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0


class NatsFeed:
    """Call `closed()` after `close()` to wait until the connection is gone.

    `board` gives the board whose `[sources]` make events of plain messages now; None: there are no sources.
    """

    def __init__(
        self,
        urls: Sequence[str],
        board_id: str,
        operator: str,
        database: Database,
        scheduler: SchedulerBase,
        deliver: Deliver,
        loop: asyncio.AbstractEventLoop,
        identity: Path | None = None,
        ca: Path | None = None,
        board: Callable[[], Board] | None = None,
    ) -> None:
        self._urls, self._board, self._operator = tuple(urls), board_id, operator
        self._identity, self._ca = Path(identity) if identity is not None else None, ca
        self._database, self._mirror = database, Mirror(database)
        self._loop = loop
        self._now: Callable[[], int] = partial(scheduler_time, scheduler)
        self._since = self._now()
        self._mirror.follow(", ".join(urls))
        self._report = StatusReport(", ".join(urls), self._mirror, self._now)
        self._receiver = Receiver(board_id, self._mirror, partial(self._report.set_state, "failed"), Sourced(board))
        self._task: asyncio.Task[None] | None = None
        self._publisher: Publisher | None = None
        self._early: list[Event] = []
        self._own = OwnEntries()
        self._on_return: OnReturn = _ignore_return
        self.arrivals: BehaviorSubject[int] = BehaviorSubject(database.log.last())
        self.status: BehaviorSubject[FeedStatus] = self._report.status
        self.refusals: Subject[Refusal] = Subject()
        self.presence: BehaviorSubject[Sequence[Present]] = BehaviorSubject(())
        self._shown: Callable[[], int] = lambda: self.arrivals.value

    def start(self, shown: Callable[[], int] | None = None, on_return: OnReturn | None = None) -> None:
        self._shown, self._on_return = shown or self._shown, on_return or _ignore_return
        self._task = self._loop.create_task(self._run())

    def publish(self, entries: Sequence[Event]) -> None:
        self._own.add(entries)
        if self._publisher is None:
            self._early.extend(entries)
        else:
            self._publisher.add(entries)

    def pause(self, paused: bool) -> None:
        """A live log can't be held."""

    def close(self) -> None:
        self._report.close()
        if self._task is not None:
            self._task.cancel()

    async def closed(self) -> None:
        """Wait until the connection is closed. On Python 3.11 `wait_for` may lose a cancellation: it is repeated."""
        while self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=CLOSING_S)

    async def _run(self) -> None:
        """One connection after the other."""
        sessions, failures = self._sessions(), 0
        while not self._report.closed:
            try:
                self._report.set_state(*await sessions.run_one())
            except StoreClosed:
                self._report.closed = True
                return
            except Exception as error:
                logging.getLogger(__name__).exception("the feed failed; it begins again")
                self._report.set_state("failed", f"an error in Watchfloor itself ({error}); trying again")
            failures = 1 if sessions.followed else failures + 1
            pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(failures, 10))
            await asyncio.sleep(pause * random.uniform(0.5, 1))

    def _sessions(self) -> Sessions:
        """What makes connections. nats is imported here: the window is up by now."""
        from dataflow.feeds.shared.follower import Follower
        from dataflow.feeds.shared.publisher import Publisher
        from dataflow.feeds.shared.session import Desk, Sessions

        self._publisher = publisher = Publisher(
            self._board, self._operator, self._refuse, self._report.set_trouble, self._mirror.entries_after,
            self._receiver.cursor, lambda id: self._database.log.find([id]),
        )  # fmt: skip
        publisher.add(self._early)
        self._early.clear()
        follower = Follower(
            self._board, self._database, self._receiver, self._report, self._take_written,
            lambda: publisher.sending_s,
        )  # fmt: skip
        desk = Desk(self._urls, self._board, self._operator, self._identity, self._ca)
        sources = self._receiver.sourced
        return Sessions(
            desk, follower, publisher, self._make_presence, self._report, self._now, lambda: sources.sources
        )

    def _make_presence(self, role: str) -> Presence:
        from dataflow.feeds.shared.presence import Presence

        return Presence(self._board, self._operator, role, self._since, self._measure_progress, self.presence)

    def _measure_progress(self) -> tuple[int, int]:
        from dataflow.feeds.shared.presence import measure_progress

        return measure_progress(self._shown(), self.arrivals.value, self._report.behind)

    def _take_written(self, received: Received) -> None:
        """What was received is on disk."""
        if self._publisher is not None:
            self._publisher.confirm(received.events, self._receiver.cursor)
        self._own.match_received(received, self._on_return)
        self._report.hear_event(received.batch[-1].time)
        if received.events and received.events[-1].position > self.arrivals.value and not self._report.closed:
            self.arrivals.on_next(received.events[-1].position)

    def _refuse(self, refusal: Refusal) -> None:
        self._own.remove(refusal.id)
        if not self._report.closed:
            self.refusals.on_next(refusal)


def _ignore_return(_: str, __: float) -> None:
    """Nobody measures how long entries take."""
