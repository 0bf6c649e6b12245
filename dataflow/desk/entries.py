"""Entries: from an operator's submission to the position that the log gives it.

An entry is checked, written to the outbox, and pushed into the engine as a pending row at once. When it is durable it
is published. When it comes back with a position, the intake swaps the rows and calls `confirmed`. If the disk refuses
it, the pending row is retracted and the entry's futures carry the error. Where the log refuses it, it goes from the
outbox to what needs attention, and then its pending row. Pending rows order after all confirmed ones.
What an earlier run left comes into the views in slices, by `show`.

A withdrawal (`withdrawals.py`) takes what it withdraws out of the views at once; that comes back if it is refused. It
is published when what it withdraws is confirmed: before, it would have no effect. If that is refused, so is it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from time import perf_counter
from typing import Any

from msgspec import structs

from dataflow.clock import Clock
from dataflow.desk.attention import told
from dataflow.desk.delays import Delays
from dataflow.engine.engine import Engine
from dataflow.events.schema import Misfit, Schema
from dataflow.events.withdrawals import Reference, named, reference, said
from dataflow.feeds.feed import Deliver, Feed, Refusal
from dataflow.session import Entered, EntryRefused, EntryRejected, Problem
from dataflow.views.log_reader import Intake
from dataflow.zset import Row
from storage.event import WITHDRAWN, Event, LoggedEvent
from storage.identity import confirms, identity
from storage.ids import uuid7
from storage.outbox import Outbox

PROVISIONAL = 1 << 60
"""The first provisional position: above every position that a log will give."""

SOURCE = "/watchfloor/desk"
RETRY_S = 2.0
SLICE = 64
"""Entries that an earlier run left go into the views so many at once: about 2 ms."""


class _Waiting:
    """What is known of an entry on its way."""

    def __init__(self, durable: asyncio.Future[None], confirmed: asyncio.Future[int]) -> None:
        self.durable = durable
        self.confirmed = confirmed


class Entries:
    """Entries of one operator on one desk. `pending` maps their ids to their rows in the engine; None: not there yet,
    or the board as it is now has no such row.
    """

    def __init__(
        self,
        outbox: Outbox,
        feed: Feed,
        clock: Clock,
        author: str,
        loop: asyncio.AbstractEventLoop,
        deliver: Deliver,
        delays: Delays,
        changed: Callable[[], None],
        kept: Callable[[], None] | None = None,
    ) -> None:
        """`changed` is called when the status may be another one; `kept` when a refused entry has been kept."""
        self.pending: dict[str, Row | None] = {}
        self._outbox = outbox
        self._feed = feed
        self._clock = clock
        self._author = author
        self._loop = loop
        self._deliver = deliver
        self._delays = delays
        self._changed = changed
        self._kept = kept or changed
        self._closed = False
        self._retries: dict[str, asyncio.TimerHandle] = {}
        self._events: dict[str, Event] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._provisional = PROVISIONAL
        self._unshown: deque[tuple[int, Event]] = deque()
        self._after: dict[str, list[Event]] = {}

    def use(self, schema: Schema, engine: Engine, intake: Intake) -> None:
        """From now on entries go into this engine, and the intake confirms them; `show` brings those on their way."""
        self._schema, self._engine, self._intake = schema, engine, intake
        intake.confirms(self.pending, self.confirmed, self._is_own)
        self._unshown.clear()
        self._hold(self._events.values())

    def resume(self) -> None:
        """Publish what an earlier run left in the outbox."""
        left = self._outbox.pending()
        self._events.update((event.id, event) for event in left)
        self._hold(left)
        self._publish(left)

    def show(self, deadline: float) -> bool:
        """Bring a slice of what waits into the views, and more until `perf_counter` says `deadline`.

        False: all is there.
        """
        while self._unshown:
            self._show([self._unshown.popleft() for _ in range(min(SLICE, len(self._unshown)))])
            if perf_counter() >= deadline:
                break
        return bool(self._unshown)

    def enter(
        self, type: str, fields: Mapping[str, Any], *, seen: int, expects: Callable[[str], int], causation: str | None
    ) -> Entered:
        """Raises `EntryRefused`; nothing is written then. `expects` tells an entity's last position that was seen."""
        submitted, now = perf_counter(), self._clock.now()
        data, subject = self._schema.entry(type, fields, now=now)
        event = self._event(type, data, subject, now, seen, expects, causation)
        return self._send(event, submitted, lambda: self._outbox.add([event]))

    def again(
        self, key: int, refused: Event, fields: Mapping[str, Any] | None, *, seen: int, expects: Callable[[str], int]
    ) -> Entered:
        """As `enter`, in the place of a refused entry (its key in quarantine): by `fields`, or by its own data, which
        has to fit the board as it is now.
        """
        submitted, now = perf_counter(), self._clock.now()
        if refused.type == WITHDRAWN:
            event = structs.replace(self._withdrawal(reference(refused) or Reference(""), seen), data=refused.data)
            return self._send(event, submitted, lambda: self._outbox.replace(key, event))
        given = told(self._schema, refused).fields if fields is None else fields
        data, subject = self._schema.entry(refused.type, given, now=now)
        if fields is None:
            data, subject = refused.data, refused.subject
        event = self._event(refused.type, data, subject, now, seen, expects, refused.id)
        return self._send(event, submitted, lambda: self._outbox.replace(key, event))

    def withdraw(self, id: str, reason: str, *, seen: int) -> Entered:
        """Enter a withdrawal. Raises `EntryRefused` where it could not take effect."""
        submitted = perf_counter()
        event = self._withdrawal(Reference(id, reason), seen)
        return self._send(event, submitted, lambda: self._outbox.add([event]))

    def _withdrawal(self, meant: Reference, seen: int) -> Event:
        waiting = [self._events[meant.id]] if meant.id in self._events else []
        found = [*waiting, *self._intake.withheld.find(meant.id)]
        target = meant.choose(self._author, found)
        why = self._intake.withheld.objection(self._author, meant.id, target)
        if target is None or why is not None:
            raise EntryRefused([Problem(None, why or "")])
        now, several = self._clock.now(), len({identity(event) for event in found}) > 1
        return Event(
            id=uuid7(now), source=SOURCE, type=WITHDRAWN, time=now, subject=target.subject,
            data=said(meant.id, meant.reason, target if several else None),
            authid=self._author, causationid=meant.id, seen=seen,
        )  # fmt: skip

    def _is_own(self, event: Event) -> bool:
        """Whether an event of the log is the entry of its id that waits."""
        own = self._events.get(event.id)
        return own is not None and confirms(event, own)

    def _event(
        self,
        type: str,
        data: bytes,
        subject: str | None,
        now: int,
        seen: int,
        expects: Callable[[str], int],
        causation: str | None,
    ) -> Event:
        return Event(
            id=uuid7(now), source=SOURCE, type=type, time=now, subject=subject, data=data,
            authid=self._author, causationid=causation, seen=seen,
            expects=expects(subject or "") if self._schema.board.events[type].guard else None,
        )  # fmt: skip

    def _send(self, event: Event, submitted: float, keep: Callable[[], Future[None]]) -> Entered:
        durable, confirmed = self._loop.create_future(), self._loop.create_future()
        for future in (durable, confirmed):
            future.add_done_callback(_seen)
        self._waiting[event.id] = _Waiting(durable, confirmed)
        self._delays.submitted(event.id, submitted)
        self._events[event.id] = event
        self._push(event)
        keep().add_done_callback(lambda future: self._deliver(self._added, event, future, perf_counter()))
        self._changed()
        return Entered(id=event.id, durable=durable, confirmed=confirmed, told=told(self._schema, event))

    def confirmed(self, events: Sequence[LoggedEvent]) -> None:
        """These entries came back through the feed, and their pending rows are gone."""
        now = perf_counter()
        free: list[Event] = []
        for event in events:
            self._events.pop(event.id, None)
            free += self._after.pop(event.id, ())
            self._delays.confirmed(event.id, event.position, now)
            waiting = self._waiting.pop(event.id, None)
            if waiting is not None:
                _resolve(waiting.durable, None)
                _resolve(waiting.confirmed, event.position)
        self._publish([event for event in free if event.id in self._events])
        self._changed()

    def refused(self, refusal: Refusal) -> None:
        """The log will never take it: into what needs attention, out of the outbox, and then out of the views."""
        if refusal.id in self._events:
            kept = self._outbox.reject(refusal.id, refusal.reason, stale=refusal.stale)
            kept.add_done_callback(lambda future: self._deliver(self._rejected, refusal, future))

    def close(self) -> None:
        for waiting in self._waiting.values():
            waiting.durable.cancel()
            waiting.confirmed.cancel()
        self._waiting.clear()
        self._closed = True
        for retry in self._retries.values():
            retry.cancel()

    def _hold(self, events: Collection[Event]) -> None:
        """Until `show` has brought them into the views; entries that are made meanwhile come after them."""
        self.pending.update(dict.fromkeys(event.id for event in events))
        self._unshown.extend(enumerate(events, self._provisional + 1))
        self._provisional += len(events)
        withdrawals = [event for event in events if event.type == WITHDRAWN]
        if withdrawals:
            self._intake.withhold(withdrawals, self._events)

    def _show(self, events: Sequence[tuple[int, Event]]) -> None:
        rows: list[Row] = []
        for position, event in events:
            shown = event.id in self.pending and event not in self._intake.withheld
            if shown:  # else it was confirmed, refused or withdrawn meanwhile
                with suppress(Misfit):
                    row = self._schema.pending_row(event, position)
                    self.pending[event.id] = row
                    rows.append(row)
        if rows:
            self._engine.push("events", rows)

    def _push(self, event: Event) -> None:
        self._provisional += 1
        row = self._schema.pending_row(event, self._provisional)
        self.pending[event.id] = row
        if event.type == WITHDRAWN:
            self._intake.withhold([event], self._events, [(row, 1)])
        else:
            self._engine.push("events", [row])

    def _publish(self, entries: Iterable[Event]) -> None:
        """Send them on their way; a withdrawal of an entry that waits, when that is confirmed."""
        ready: list[Event] = []
        for event in entries:
            target = named(event) if event.type == WITHDRAWN else None
            if target is not None and target in self._events:
                self._after.setdefault(target, []).append(event)
            else:
                ready.append(event)
        if ready:
            self._feed.publish(ready)

    def _added(self, event: Event, added: Future[None], at: float) -> None:
        error = added.exception()
        if error is None:
            self._delays.durable(event.id, at)
            waiting = self._waiting.get(event.id)
            if waiting is not None:
                _resolve(waiting.durable, None)
            self._publish([event])
            return
        self._take_back(event.id, error)

    def _rejected(self, refusal: Refusal, kept: Future[None]) -> None:
        """It is kept, or the disk is asked again."""
        self._retries.pop(refusal.id, None)
        if self._closed or refusal.id not in self._events:
            return
        if kept.exception() is not None:
            self._retries[refusal.id] = self._loop.call_later(RETRY_S, self.refused, refusal)
            return
        self._kept()
        self._take_back(refusal.id, EntryRejected(refusal.reason, refusal.stale))

    def _take_back(self, id: str, error: BaseException) -> None:
        """Retract the pending row; whoever waits for the entry is told."""
        self._delays.dropped(id)
        del self._events[id]
        row = self.pending.pop(id)
        self._intake.release(id, [] if row is None else [(row, -1)])
        waiting = self._waiting.pop(id, None)
        for future in (waiting.durable, waiting.confirmed) if waiting is not None else ():
            if not future.done():
                future.set_exception(error)
        for event in self._after.pop(id, ()):
            self.refused(Refusal(event.id, "what it withdraws is not in the log: it was refused"))
        self._changed()


def _resolve(future: asyncio.Future[Any], value: object) -> None:
    if not future.done():
        future.set_result(value)


def _seen(future: asyncio.Future[Any]) -> None:
    """Nobody has to wait for an entry: an error that nobody asked for is no warning."""
    if not future.cancelled():
        future.exception()
