"""Follows the shared log over a connection: what comes in order is written to the store, one write at a time.

What arrives while a batch is written, and in the rest between two, makes the next batch: alone on a quiet board,
hundreds in a burst. After a gap another subscription is opened; what that does not bring is fetched one by one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from dataflow.feeds.shared.audit import Audit
from dataflow.feeds.shared.connection_tasks import cancel_all
from dataflow.feeds.shared.empty_positions import EmptyPositions
from dataflow.feeds.shared.log_match import StoreState, check_match
from dataflow.feeds.shared.receiver import MOST, SLICE, Received, Receiver
from dataflow.feeds.shared.recovery import Recovery
from dataflow.feeds.shared.refetch import fetch
from dataflow.feeds.shared.status_report import StatusReport
from dataflow.feeds.shared.subscription import Gap, Subscription
from dataflow.feeds.shared.tampering import Tampering
from dataflow.nats import consumer, subjects
from dataflow.nats.streams import LOG, BoardStream, find, verified
from storage.database import Database
from storage.mirror import Mirror

if TYPE_CHECKING:
    from dataflow.nats.connection import Connection

REST_S = 0.010
"""Between two small batches: each is an fsync."""
PATIENCE_S = 600.0
"""For an answer about deletions: on a slow line it waits behind history."""


class Follower:
    """Of one board's log, over one connection after the other. `on_written` is called with what is on disk now;
    `sending_s` tells how many seconds the slowest line needs for what is being sent.
    """

    def __init__(
        self,
        board: str,
        database: Database,
        receiver: Receiver,
        report: StatusReport,
        on_written: Callable[[Received], None],
        sending_s: Callable[[], float],
    ) -> None:
        self._board, self._stream = board, subjects.stream(board)
        self._database, self._mirror = database, Mirror(database)
        self._receiver, self._report = receiver, report
        self._on_written, self._sending_s = on_written, sending_s
        self._loop = asyncio.get_running_loop()
        self._recovery = Recovery()
        self._tampering = Tampering(partial(report.warn, "tampering"), self._loop.time)
        self._write_began = 0.0
        self.followed = False
        """Whether anything was followed since this was last set to False."""

    async def check_log(self, connection: Connection) -> BoardStream:
        """Check that it is the log that this store mirrors; an empty store takes up the one that it finds.

        Raises LogMismatch and ServerError.
        """
        stream = await find(connection.client, self._board)
        state = StoreState(self._mirror.source, self._receiver.cursor, self._database.log.last() == 0)
        check_match(stream.log, stream.first, stream.last, state)
        if state.source is None:
            await asyncio.wrap_future(self._mirror.adopt(stream.log))
            self._receiver.cursor = max(0, stream.first - 1)
        self._receiver.sourced.log = stream.log
        return stream

    async def follow(
        self, connection: Connection, stream: BoardStream, caught_up: asyncio.Event, wakes: list[Callable[[], None]]
    ) -> None:
        """Write what comes until the connection is lost, which is raised. `wakes` gets what is to be called then."""
        empty = EmptyPositions(partial(self._describe, connection), partial(self._report.warn, "holes"))
        while True:
            subscription = Subscription(connection, self._stream)
            wakes[:] = [subscription.wake]
            try:
                await self._take(subscription, connection, empty, stream.last, caught_up)
            except Gap as gap:
                caught_up.clear()
                await self._recover(str(gap), connection, empty)
            finally:
                await subscription.close()
            stream = await self.check_log(connection)

    async def _recover(self, why: str, connection: Connection, empty: EmptyPositions) -> None:
        """Not all has come that the log holds: another subscription is to bring it, or else it is fetched singly."""
        report = self._report
        self._recovery.note(self._receiver.cursor, self._loop.time())
        if not self._recovery.stuck:
            report.set_state("catching up", f"{why}, and is fetched", report.behind)
        elif position := await self._refetch(connection, empty):
            words = f"{why}, and position {position:,} is not to be had either; trying again"
            report.set_state("failed", words, report.behind)
        else:
            report.set_state("failed", f"{why}, and is fetched one by one", report.behind)
        await asyncio.sleep(self._recovery.pause_s)

    async def _refetch(self, connection: Connection, empty: EmptyPositions) -> int:
        """Fetch message by message up to the log's end; the first position that the server does not give, or 0."""
        self._receiver.begin()
        last = (await self.check_log(connection)).last
        while (first := self._receiver.cursor + 1) <= last:
            until = min(last, first + MOST - 1)
            answers = await fetch(connection.client, self._stream, first, until)
            given = [each for each in takewhile(lambda each: each is not None, answers) if each is not None]
            if given:
                received = await self._receiver.decode(given, last - given[-1].sequence, False)
                await self._receiver.write(received)
                self._on_written(received)
            elif not (after := await empty.find_held(first, until)):
                self._receiver.cursor = until
            elif after > first:
                self._receiver.cursor = after - 1
            else:
                return first
        return 0

    async def _describe(self, connection: Connection) -> Mapping[str, Any]:
        """What the stream says of itself, with all that was deleted."""
        request = f"STREAM.INFO.{self._stream}"
        return await consumer.ask(connection.client, request, {"deleted_details": True}, PATIENCE_S)

    def _verify(self, answer: Mapping[str, Any], cursor: int) -> int:
        """The last position of the log, as the stream says; `cursor`: where the store was when it was asked.

        Raises LogMismatch and StreamRefused. How the stream is set up is looked at when a connection begins.
        """
        if answer.get("error"):
            verified(answer, self._board)
        state, log = answer["state"], (answer["config"].get("metadata") or {}).get(LOG, "")
        check_match(log, state["first_seq"], state["last_seq"], StoreState(self._mirror.source, cursor, False))
        return int(state["last_seq"])

    async def _take(
        self, subscription: Subscription, connection: Connection, empty: EmptyPositions, last: int,
        caught_up: asyncio.Event,
    ) -> None:  # fmt: skip
        """Write what comes, as long as it comes in order. Begins with the last one that we hold, to compare: until then
        nobody knows whether the log fits, and nothing is said. The log ends at `last` now.
        """
        self._receiver.begin()
        await subscription.open(max(1, self._overlap()), last)
        if subscription.caught_up:
            self._report_progress(subscription.behind, True, caught_up)
        audit = Audit(
            connection, subscription, self._stream, empty, lambda: self._receiver.cursor, self._verify,
            self._tampering, self._sending_s,
        )  # fmt: skip
        task = self._loop.create_task(audit.run())
        try:
            await self._take_all(subscription, empty, caught_up)
        except Gap:
            await audit.explain()
            raise
        finally:
            await cancel_all([task])

    async def _take_all(self, subscription: Subscription, empty: EmptyPositions, caught_up: asyncio.Event) -> None:
        ahead: Received | None = None
        while True:
            if ahead is None:
                await self._rest(subscription)
            received = ahead or await self._receiver.take(subscription, empty)
            ahead = None
            if received.batch:
                self._write_began = self._loop.time()
                ahead = await self._write(received, subscription, empty)
                self._on_written(received)
            self._report_progress(received.behind, received.caught_up, caught_up)

    async def _write(self, received: Received, subscription: Subscription, empty: EmptyPositions) -> Received | None:
        """Where a whole batch waits already, it is decoded while this one is being written, and given back."""
        if subscription.waiting <= MOST:
            await self._receiver.write(received)
            return None
        writing = self._loop.create_task(self._receiver.write(received))
        try:
            return await self._receiver.take(subscription, empty)
        except asyncio.CancelledError:
            writing.cancel()
            raise
        finally:
            await writing

    def _report_progress(self, behind: int, all_taken: bool, caught_up: asyncio.Event) -> None:
        """Everything up to here is on disk, and so many messages are to come."""
        self.followed = True
        if all_taken:
            caught_up.set()
        self._report.set_progress(behind, all_taken)

    def _overlap(self) -> int:
        """The last event that we hold, to compare: at the cursor there may have been something that is none."""
        last = self._database.log.last()
        return last if self._receiver.cursor - last < MOST else self._receiver.cursor

    async def _rest(self, subscription: Subscription) -> None:
        """Let small batches gather. One that comes alone is not held up."""
        rest = self._write_began + REST_S - self._loop.time()
        if rest > 0 and subscription.waiting < SLICE:
            await asyncio.sleep(rest)
