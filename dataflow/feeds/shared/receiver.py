"""What a subscription delivers, decoded and written to the store, in batches.

Decoding is the loop's work, in slices of a millisecond; writing is that of the store's thread, one batch at a time.
What can't be taken is set apart with its reason, in the same transaction: whatever came is dealt with once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from dataflow.devices.sources import Sourced
from dataflow.feeds.shared.log_match import check_overlap
from dataflow.nats import subjects, wire
from storage.errors import CloudEventError, PositionTaken, StorageError, StoreClosed, TooLarge
from storage.event import LoggedEvent
from storage.mirror import Mirror
from storage.quarantine import Quarantined

if TYPE_CHECKING:
    from dataflow.feeds.shared.empty_positions import EmptyPositions
    from dataflow.feeds.shared.subscription import Delivered, Subscription

MOST = 2000
"""Messages in one batch, which is one write."""

SLICE = 250
"""Messages that are decoded at once."""

DISK_S = 2.0


class Received(NamedTuple):
    """A batch as it came, and what it is. `behind` wait after it; `caught_up`: all that there was has been taken."""

    batch: Sequence[Delivered]
    events: list[LoggedEvent]
    refused: list[Quarantined]
    behind: int
    caught_up: bool


class Receiver:
    """`cursor` is the last position of the shared log that was dealt with: what came up to there is on disk.

    `failed` is called with the reason whenever the disk can't take a batch, which then is tried again. `sourced` makes
    events of devices' messages.
    """

    def __init__(self, board: str, mirror: Mirror, failed: Callable[[str], None], sourced: Sourced) -> None:
        self.cursor = mirror.cursor
        self.sourced = sourced
        self._board, self._stream = board, subjects.stream(board)
        self._mirror, self._failed = mirror, failed
        self._taken = self.cursor

    def begin(self) -> None:
        """Another subscription brings what comes after the cursor."""
        self._taken = self.cursor

    async def take(self, subscription: Subscription, empty: EmptyPositions) -> Received:
        """The next batch, decoded. Raises what `Subscription.take` does, and `LogMismatch`."""
        batch: Sequence[Delivered] = await subscription.take(MOST)
        behind, caught_up = subscription.behind, subscription.caught_up
        whole = await self._take_whole(batch, empty)
        if len(whole) < len(batch):
            subscription.leave_out(f"the server left out what follows position {self._taken:,}")
            behind, caught_up = behind + len(batch) - len(whole), False
        return await self.decode(whole, behind, caught_up)

    async def decode(self, batch: Sequence[Delivered], behind: int, caught_up: bool) -> Received:
        """A batch that follows what was taken before."""
        return Received(batch, *await self._decode_all(batch), behind, caught_up)

    async def write(self, received: Received) -> None:
        """Until it is on disk. Raises `LogMismatch`, `PositionTaken` and `StoreClosed`."""
        events, last = received.events, received.batch[-1].sequence
        if events and (first := events[0].position) <= self.cursor:
            check_overlap(first, events[0].id, self._mirror.id_at(first))
        await self._write(events, received.refused, last)
        self.cursor = max(self.cursor, last)

    async def _take_whole(self, batch: Sequence[Delivered], empty: EmptyPositions) -> Sequence[Delivered]:
        """As much of a batch as follows what was taken before, with nothing missing but what the stream says it holds
        no more. Raises `LogMismatch` where its beginning was taken away.
        """
        expected = self._taken + 1
        if batch and batch[0].sequence <= expected:
            first = batch[0].sequence
            if [each.sequence for each in batch] == list(range(first, first + len(batch))):
                self._taken = max(self._taken, batch[-1].sequence)
                return batch
        before = 0
        for at, delivered in enumerate(batch):
            sequence = delivered.sequence
            if sequence <= before or (sequence > expected and await empty.find_held(expected, sequence - 1)):
                return batch[:at]
            before, expected = sequence, max(expected, sequence + 1)
            self._taken = expected - 1
        return batch

    async def _decode_all(self, batch: Sequence[Delivered]) -> tuple[list[LoggedEvent], list[Quarantined]]:
        events: list[LoggedEvent] = []
        refused: list[Quarantined] = []
        for start in range(0, len(batch), SLICE):
            if start:
                await asyncio.sleep(0)
            self._decode(batch[start : start + SLICE], events, refused)
        return events, refused

    def _decode(self, slice: Sequence[Delivered], events: list[LoggedEvent], refused: list[Quarantined]) -> None:
        for delivered in slice:
            subject, headers, body, sequence = delivered.subject, delivered.headers, delivered.body, delivered.sequence
            try:
                events.append(wire.decode(self._board, subject, headers, body, sequence))
            except CloudEventError as error:
                where = sequence, delivered.time
                event = self.sourced.read_message(subject, body, *where, error)
                if isinstance(event, LoggedEvent):
                    events.append(event)
                else:
                    refused.append(self._set_apart(*where, event, body))

    async def _write(self, events: list[LoggedEvent], refused: list[Quarantined], cursor: int) -> None:
        """Until it is on disk. An event that the store can't hold is set apart; a disk that can't is asked again."""
        while True:
            try:
                await asyncio.wrap_future(self._mirror.receive(events, refused, cursor, self._stream))
            except (TooLarge, OverflowError, ValueError) as error:
                await self._write_singly(events, refused, cursor, error)
                return
            except (StoreClosed, PositionTaken):
                raise
            except StorageError as error:
                self._failed(str(error))
                await asyncio.sleep(DISK_S)
            else:
                return

    async def _write_singly(
        self, events: list[LoggedEvent], refused: list[Quarantined], cursor: int, error: Exception
    ) -> None:
        if not events:
            raise error
        if len(events) == 1:
            bad = events[0]
            unfit = self._set_apart(bad.position, bad.time, f"the store can't hold it: {error}", bad.data)
            await self._write([], [*refused, unfit], cursor)
            return
        middle = len(events) // 2
        await self._write(events[:middle], [], events[middle].position - 1)
        await self._write(events[middle:], refused, cursor)

    def _set_apart(self, sequence: int, time: int, reason: str, text: bytes) -> Quarantined:
        return Quarantined(reason=reason, text=text, time=time, origin=f"{self._stream}:{sequence}")
