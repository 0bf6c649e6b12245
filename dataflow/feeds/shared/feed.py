"""The NATS feed: a board's log is a JetStream stream, and this store is its mirror.

One task, one connection after the other: connect, check that the stream is the one that the store mirrors, follow it
from the cursor on, and publish what waits. What comes is decoded and written in batches, one write at a time, so that
what arrives meanwhile, and in the rest between two, makes the next batch: alone on a quiet board, hundreds in a burst.
Only what is on disk is told. A connection that is lost or refused is followed by another, after a pause.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import msgspec
from reactivex.abc import SchedulerBase
from reactivex.subject import BehaviorSubject, Subject

from dataflow.clock import scheduler_time
from dataflow.devices.sources import Sourced
from dataflow.feeds.feed import Deliver, FeedStatus, Refusal
from dataflow.feeds.shared import clock_skew, liveness, missing_sources
from dataflow.feeds.shared.connection_tasks import beside, ended
from dataflow.feeds.shared.empty_positions import Holes
from dataflow.feeds.shared.log_match import Held, Unfit, check
from dataflow.feeds.shared.own_entries import Own
from dataflow.feeds.shared.receiver import MOST, SLICE, Received, Reception
from dataflow.feeds.shared.recovery import Recovery
from dataflow.feeds.shared.tampering import Tampering
from dataflow.nats import subjects
from dataflow.session import CUT_OFF, FeedState, Present
from storage.database import Database
from storage.errors import PositionTaken, StoreClosed
from storage.event import Event
from storage.mirror import Mirror

if TYPE_CHECKING:
    from dataflow.board import Board
    from dataflow.feeds.shared.audit import Audit
    from dataflow.feeds.shared.presence import Presence
    from dataflow.feeds.shared.publisher import Publisher
    from dataflow.feeds.shared.subscription import Subscription
    from dataflow.nats.connection import Connection
    from dataflow.nats.streams import BoardStream

FAR, NEAR = 10_000, 1_000
"""Events behind that make a live feed catch up again, and that a feed which catches up calls live."""

REST_S = 0.010
"""Between two small batches: each is an fsync."""
CLOSING_S = 2.0
PATIENCE_S = 600.0
"""For an answer about deletions: on a slow line it waits behind history."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0


class NatsFeed:
    """Call `closed()` after `close()` to wait until the connection is gone."""

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
    ) -> None:
        self._urls, self._board, self._operator = tuple(urls), board_id, operator
        self._others: Sequence[str] = ()
        self._identity = Path(identity) if identity is not None else None
        self._ca = ca
        self._database, self._mirror = database, Mirror(database)
        self._scheduler, self._loop = scheduler, loop
        self._stream = subjects.stream(board_id)
        self._reception = Reception(board_id, self._mirror, partial(self._say, "failed"))
        self._other_log = False
        self._failures = 0
        self._began = 0.0
        self._since = scheduler_time(scheduler)
        self._closed = False
        self._task: asyncio.Task[None] | None = None
        self._publisher: Publisher | None = None
        self._early: list[Event] = []
        self._behind = 0
        self._own = Own()
        self._trouble = ""
        self._heard = self._kept = self._mirror.heard
        self._mirror.follow(", ".join(urls))
        self.arrivals: BehaviorSubject[int] = BehaviorSubject(database.log.last())
        self.status: BehaviorSubject[FeedStatus] = BehaviorSubject(
            FeedStatus("catching up", heard=self._heard, log=", ".join(urls))
        )
        self.refusals: Subject[Refusal] = Subject()
        self.presence: BehaviorSubject[Sequence[Present]] = BehaviorSubject(())
        self._shown: Callable[[], int] = lambda: self.arrivals.value
        self._warnings: dict[str, str] = {}
        self._recovery = Recovery()
        self._tampering = Tampering(partial(self._warn, "tampering"), monotonic)

    def introduce(self, shown: Callable[[], int], received: Callable[[str, float], None]) -> None:
        self._shown, self._own.told = shown, received

    def use_sources(self, board: Callable[[], Board]) -> None:
        """Before the start: `board` tells whose `[sources]` make events of plain messages now."""
        self._reception.sourced = Sourced(board)

    def start(self) -> None:
        self._task = self._loop.create_task(self._run())

    def publish(self, entries: Sequence[Event]) -> None:
        self._own.sent(entries)
        if self._publisher is None:
            self._early.extend(entries)
        else:
            self._publisher.add(entries)

    def pause(self, paused: bool) -> None:
        """A live log can't be held."""

    def close(self) -> None:
        self._keep_heard()
        self._closed = True
        if self._task is not None:
            self._task.cancel()

    async def closed(self) -> None:
        """Until the connection is closed. On Python 3.11 `wait_for` may lose a cancellation, so it is said again."""
        while self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=CLOSING_S)

    async def _run(self) -> None:
        """One connection after the other. nats is imported here: the window is up by now."""
        from dataflow.feeds.shared.publisher import Publisher

        publisher = Publisher(
            self._board, self._operator, self._refused, self._troubled, self._mirror.entries_after,
            self._reception.cursor, lambda id: self._database.log.find([id]),
        )
        publisher.add(self._early)
        self._publisher = publisher
        self._early.clear()
        while not self._closed:
            try:
                self._other_log = False
                self._say(*await self._session(publisher))
            except Exception as error:
                logging.getLogger(__name__).exception("the feed failed; it begins again")
                self._say("failed", f"an error in Watchfloor itself ({error}); trying again")
            self._failures += 1
            pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(self._failures, 10))
            await asyncio.sleep(pause * random.uniform(0.5, 1))

    async def _session(self, publisher: Publisher) -> tuple[FeedState, str]:
        """One connection, from beginning to end; why it ended."""
        from nats.errors import Error

        from dataflow.feeds.shared.subscription import Lost
        from dataflow.nats.connection import NotAdmitted, Unreachable, connect
        from dataflow.nats.errors import ServerError, StreamSilent

        wakes: list[Callable[[], None]] = []
        who = f"watchfloor {self._operator}", self._identity
        try:
            connection = await connect(
                self._urls, *who, lambda: _all(wakes), publisher.denied, self._ca, self._others
            )
        except Unreachable as error:
            return "offline", str(error)
        except NotAdmitted as error:
            return "refused", str(error)
        try:
            await self._follow(connection, publisher, wakes)
        except StreamSilent as error:
            denied = "permissions violation" in str(connection.last_error)
            return ("refused", f"{error}: this identity may not ask") if denied else ("offline", str(error))
        except (Unfit, PositionTaken) as error:
            self._other_log = True
            return "refused", str(error)
        except ServerError as error:
            return "refused", str(error)
        except StoreClosed:
            self._closed = True
        except (Lost, Error, OSError) as error:
            why = str(connection.last_error or "") or str(error) or "closed"
            return "offline", f"the connection was lost ({why})"
        finally:
            self._others = connection.others
            await connection.close()
        return "offline", "closed"

    async def _follow(self, connection: Connection, publisher: Publisher, wakes: list[Callable[[], None]]) -> None:
        from dataflow.feeds.shared.subscription import Gap, Subscription

        stream = await self._check(connection)
        caught_up = asyncio.Event()
        sources, warn = (lambda: self._reception.sourced.sources), self._warn
        works = (
            publisher.run(connection, caught_up, stream.batches, len(self._urls) + len(connection.others) > 1),
            self._presence().run(connection),
            clock_skew.watch(connection, self._board, lambda: scheduler_time(self._scheduler), partial(warn, "clock")),
            missing_sources.watch(connection, self._board, sources, partial(warn, "sources")),
            liveness.watch(connection, lambda: scheduler_time(self._scheduler), self._hear),
        )
        holes = Holes(partial(self._describe, connection), partial(warn, "holes"))
        async with beside(connection, *works):
            while True:
                subscription = Subscription(connection, self._stream)
                wakes[:] = [subscription.wake]
                try:
                    await self._take(subscription, connection, holes, stream.last, caught_up)
                except Gap as gap:
                    caught_up.clear()
                    await self._recover(str(gap), connection, holes)
                finally:
                    await subscription.close()
                stream = await self._check(connection)

    async def _recover(self, why: str, connection: Connection, holes: Holes) -> None:
        """Not all has come that the log holds: another subscription is to bring it, or else it is fetched singly."""
        self._recovery.note(self._reception.cursor, self._loop.time())
        if not self._recovery.stuck:
            self._say("catching up", f"{why}, and is fetched", self._behind)
        elif position := await self._refetch(connection, holes):
            self._say("failed", f"{why}, and position {position:,} is not to be had either; trying again", self._behind)
        else:
            self._say("failed", f"{why}, and is fetched one by one", self._behind)
        await asyncio.sleep(self._recovery.pause_s)

    async def _refetch(self, connection: Connection, holes: Holes) -> int:
        """Message by message up to the log's end; the first position that the server does not give, or 0."""
        from dataflow.feeds.shared.refetch import fetch

        self._reception.begin()
        last = (await self._check(connection)).last
        while (first := self._reception.cursor + 1) <= last:
            until = min(last, first + MOST - 1)
            found = await fetch(connection.client, self._stream, first, until)
            given = [each for each in takewhile(lambda each: each is not None, found) if each is not None]
            if given:
                received = await self._reception.decode(given, last - given[-1].sequence, False)
                await self._reception.write(received)
                self._written(received)
            elif not (after := await holes.missing(first, until)):
                self._reception.cursor = until
            elif after > first:
                self._reception.cursor = after - 1
            else:
                return first
        return 0

    async def _describe(self, connection: Connection) -> Mapping[str, Any]:
        """What the stream says of itself, with all that was deleted."""
        from dataflow.nats.consumer import ask

        return await ask(connection.client, f"STREAM.INFO.{self._stream}", {"deleted_details": True}, PATIENCE_S)

    def _verify(self, answer: Mapping[str, Any], cursor: int) -> int:
        """The last position of the log, as the stream says; `cursor`: where the store was when it was asked.

        Raises `Unfit` and StreamRefused. How the stream is set up is looked at when a connection begins.
        """
        from dataflow.nats.streams import LOG, verified

        if answer.get("error"):
            verified(answer, self._board)
        state, log = answer["state"], (answer["config"].get("metadata") or {}).get(LOG, "")
        check(log, state["first_seq"], state["last_seq"], Held(self._mirror.source, cursor, False))
        return int(state["last_seq"])

    def _presence(self) -> Presence:
        from dataflow.feeds.shared.presence import Presence
        from dataflow.nats.connection import role_of

        role = role_of(self._identity)
        return Presence(self._board, self._operator, role, self._since, self._how_far, self.presence)

    def _how_far(self) -> tuple[int, int]:
        """The position that the views show, and how many events of the log they lack."""
        shown = self._shown()
        return shown, self._behind + max(0, self.arrivals.value - shown)

    async def _check(self, connection: Connection) -> BoardStream:
        """Is it the log that this store mirrors? An empty store takes up the one that it finds."""
        from dataflow.nats.streams import find

        stream = await find(connection.client, self._board)
        held = Held(self._mirror.source, self._reception.cursor, self._database.log.last() == 0)
        check(stream.log, stream.first, stream.last, held)
        if held.source is None:
            await asyncio.wrap_future(self._mirror.adopt(stream.log))
            self._reception.cursor = max(0, stream.first - 1)
        self._reception.sourced.log = stream.log
        return stream

    async def _take(
        self, subscription: Subscription, connection: Connection, holes: Holes, last: int, caught_up: asyncio.Event
    ) -> None:
        """Write what comes, as long as it comes in order. Begins with the last one that we hold, to compare: until then
        nobody knows whether the log fits, and nothing is said. The log ends at `last` now.
        """
        from dataflow.feeds.shared.subscription import Gap

        self._reception.begin()
        await subscription.open(max(1, self._overlap()), last)
        if subscription.caught_up:
            self._stands(subscription.behind, True, caught_up)
        audit = self._audit(subscription, connection, holes)
        task = self._loop.create_task(audit.run())
        try:
            await self._take_all(subscription, holes, caught_up)
        except Gap:
            await audit.explain()
            raise
        finally:
            await ended([task])

    async def _take_all(self, subscription: Subscription, holes: Holes, caught_up: asyncio.Event) -> None:
        ahead: Received | None = None
        while True:
            if ahead is None:
                await self._rest(subscription)
            received = ahead or await self._reception.take(subscription, holes)
            ahead = None
            if received.batch:
                self._began = self._loop.time()
                ahead = await self._write(received, subscription, holes)
                self._written(received)
            self._stands(received.behind, received.caught_up, caught_up)

    def _audit(self, subscription: Subscription, connection: Connection, holes: Holes) -> Audit:
        from dataflow.feeds.shared.audit import Audit

        publisher = self._publisher
        return Audit(
            connection, subscription, self._stream, holes, lambda: self._reception.cursor, self._verify,
            self._tampering, lambda: publisher.sending_s if publisher is not None else 0.0,
        )  # fmt: skip

    async def _write(self, received: Received, subscription: Subscription, holes: Holes) -> Received | None:
        """Where a whole batch waits already, it is decoded while this one is being written, and given back."""
        if subscription.waiting <= MOST:
            await self._reception.write(received)
            return None
        writing = self._loop.create_task(self._reception.write(received))
        try:
            return await self._reception.take(subscription, holes)
        except asyncio.CancelledError:
            writing.cancel()
            raise
        finally:
            await writing

    def _stands(self, behind: int, all_taken: bool, caught_up: asyncio.Event) -> None:
        """Everything up to here is on disk, and so many messages are to come."""
        self._behind = behind
        self._failures = 0
        if all_taken:
            caught_up.set()
        if all_taken and behind <= (FAR if self.status.value.state == "live" else NEAR):
            self._say("live")
        else:
            self._say("catching up", behind=behind)

    def _overlap(self) -> int:
        """The last event that we hold, to compare: at the cursor there may have been something that is none."""
        last = self._database.log.last()
        return last if self._reception.cursor - last < MOST else self._reception.cursor

    async def _rest(self, subscription: Subscription) -> None:
        """Let small batches gather. One that comes alone is not held up."""
        rest = self._began + REST_S - self._loop.time()
        if rest > 0 and subscription.waiting < SLICE:
            await asyncio.sleep(rest)

    def _written(self, received: Received) -> None:
        if self._publisher is not None:
            self._publisher.returned(received.events, self._reception.cursor)
        self._own.look(received)
        if self.status.value.state != "live":
            newest = min(received.batch[-1].time, scheduler_time(self._scheduler))
            self._heard = max(self._heard, newest)
        if received.events:
            self._arrived(received.events[-1].position)

    def _arrived(self, position: int) -> None:
        if position > self.arrivals.value and not self._closed:
            self.arrivals.on_next(position)

    def _refused(self, refusal: Refusal) -> None:
        self._own.forget(refusal.id)
        if not self._closed:
            self.refusals.on_next(refusal)

    def _troubled(self, why: str) -> None:
        """Entries are not taken now, though all else goes on; "": they are."""
        was, self._trouble = self._trouble, why
        if self.status.value.state == "live" or self.status.value.detail == was != "":
            self._say("live")

    def _say(self, state: FeedState, detail: str = "", behind: int = 0) -> None:
        before = self.status.value
        if state == "live" and before.state != "live":
            self._heard = scheduler_time(self._scheduler)
        if state == "live" and self._trouble:
            state, detail = "failed", self._trouble
        said = msgspec.structs.replace(
            before, state=state, detail=detail, behind=behind, unfit=self._other_log, heard=self._heard
        )
        if said != before and not self._closed:
            self.status.on_next(said)
        if state in CUT_OFF:
            self._keep_heard()

    def _hear(self, time: int) -> None:
        """Up to this time of the desk's clock nothing has happened that has not come; while it follows the log."""
        status = self.status.value
        follows = status.state == "live" or (status.state == "failed" and status.detail == self._trouble)
        if self._closed or not follows:
            return
        self._heard = time
        if time != status.heard:
            self.status.on_next(msgspec.structs.replace(status, heard=time))
        if not 0 <= time - self._kept < liveness.KEEP_US:
            self._keep_heard()

    def _keep_heard(self) -> None:
        if self._heard != self._kept and not self._closed:
            self._kept = self._heard
            self._mirror.hear(self._heard)

    def _warn(self, what: str, words: str) -> None:
        self._warnings[what] = words
        words = "; ".join(filter(None, self._warnings.values()))
        if words != self.status.value.warning and not self._closed:
            self.status.on_next(msgspec.structs.replace(self.status.value, warning=words))


def _all(functions: Sequence[Callable[[], None]]) -> None:
    for function in functions:
        function()
