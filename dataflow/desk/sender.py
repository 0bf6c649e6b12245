"""Sending events: from the outbox to the position that the log gives them.

An event is in the views at once, pending, and written to the outbox. When it is durable it is published; one that rests
on another that waits (`events/prerequisites.py`) when that is confirmed. When it comes back with a position, the views
swap the rows. If the disk refuses it, it leaves the views and its futures carry the error. Where the log refuses it, it
goes from the outbox to what needs attention, and then out of the views; if it is refused, so is what rests on it.
Whatever an event is, it goes this way: the views alone judge what it changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from time import perf_counter
from typing import Any, NamedTuple

from dataflow.desk.delays import Delays
from dataflow.desk.event_text import describe_event
from dataflow.events.prerequisites import prerequisite
from dataflow.feeds.feed import Deliver, Feed, Refusal
from dataflow.session import Entered, EntryRejected
from dataflow.views.current_views import CurrentViews
from storage.event import Event, LoggedEvent
from storage.outbox import Outbox

RETRY_S = 2.0


class _Promises(NamedTuple):
    """What whoever made an entry waits for."""

    durable: asyncio.Future[None]
    confirmed: asyncio.Future[int]


class Sender:
    """Sends the events of one desk."""

    def __init__(
        self, current: CurrentViews, outbox: Outbox, feed: Feed, loop: asyncio.AbstractEventLoop, deliver: Deliver,
        delays: Delays, on_change: Callable[[], object], on_kept: Callable[[], object],
    ) -> None:  # fmt: skip
        """`on_change` is called when the status may be another one; `on_kept` when a refused entry has been kept."""
        self._current, self._outbox, self._feed = current, outbox, feed
        self._loop, self._deliver, self._delays = loop, deliver, delays
        self._on_change, self._on_kept = on_change, on_kept
        self._closed = False
        self._retries: dict[str, asyncio.TimerHandle] = {}
        self._promises: dict[str, _Promises] = {}
        self._resting: dict[str, list[Event]] = {}

    def resume(self) -> None:
        """Publish what an earlier run left in the outbox."""
        left = self._outbox.pending()
        self._current.views.overlay_later(left)
        self._publish(left)

    def send(self, event: Event, submitted: float, keep: Callable[[], Future[None]] | None = None) -> Entered:
        """Send an event on its way. `submitted` is when, on `perf_counter`; `keep` writes it to the outbox, where that
        is not all that is to be written.
        """
        promises = self._promises[event.id] = _Promises(self._loop.create_future(), self._loop.create_future())
        for future in promises:
            future.add_done_callback(_consume)
        self._delays.submitted(event.id, submitted)
        self._current.views.overlay(event)
        kept = self._outbox.add([event]) if keep is None else keep()
        kept.add_done_callback(lambda future: self._deliver(self._finish_adding, event, future, perf_counter()))
        self._on_change()
        told = describe_event(self._current.views.schema, event)
        return Entered(id=event.id, durable=promises.durable, confirmed=promises.confirmed, told=told)

    def confirm(self, events: Sequence[LoggedEvent]) -> None:
        """Note that these came back through the feed, and that the views hold them."""
        now = perf_counter()
        free: list[Event] = []
        for event in events:
            free += self._resting.pop(event.id, ())
            self._delays.confirmed(event.id, event.position, now)
            promises = self._promises.pop(event.id, None)
            if promises is not None:
                _resolve(promises.durable, None)
                _resolve(promises.confirmed, event.position)
        if events:
            self._publish([event for event in free if self._current.views.waits(event.id)])
            self._on_change()

    def refuse(self, refusal: Refusal) -> None:
        """Note that the log will never take one: into what needs attention, out of the outbox, and then out of the
        views.
        """
        if self._current.views.waits(refusal.id):
            kept = self._outbox.reject(refusal.id, refusal.reason, stale=refusal.stale)
            kept.add_done_callback(lambda future: self._deliver(self._finish_refusing, refusal, future))

    def close(self) -> None:
        for promises in self._promises.values():
            for future in promises:
                future.cancel()
        self._promises.clear()
        self._closed = True
        for retry in self._retries.values():
            retry.cancel()

    def _publish(self, events: Iterable[Event]) -> None:
        ready: list[Event] = []
        for event in events:
            first = prerequisite(event)
            if first is not None and self._current.views.waits(first):
                self._resting.setdefault(first, []).append(event)
            else:
                ready.append(event)
        if ready:
            self._feed.publish(ready)

    def _finish_adding(self, event: Event, added: Future[None], at: float) -> None:
        """It is durable, or the disk refuses it."""
        error = added.exception()
        if error is not None:
            self._take_back(event.id, error)
            return
        self._delays.durable(event.id, at)
        if event.id in self._promises:
            _resolve(self._promises[event.id].durable, None)
        self._publish([event])

    def _finish_refusing(self, refusal: Refusal, kept: Future[None]) -> None:
        """It is kept, or the disk is asked again."""
        self._retries.pop(refusal.id, None)
        if self._closed or not self._current.views.waits(refusal.id):
            return
        if kept.exception() is not None:
            self._retries[refusal.id] = self._loop.call_later(RETRY_S, self.refuse, refusal)
            return
        self._on_kept()
        self._take_back(refusal.id, EntryRejected(refusal.reason, refusal.stale))

    def _take_back(self, id: str, error: BaseException) -> None:
        """Take it out of the views; whoever waits for it is told."""
        self._delays.dropped(id)
        self._current.views.drop(id)
        promises = self._promises.pop(id, None)
        for future in promises or ():
            if not future.done():
                future.set_exception(error)
        for event in self._resting.pop(id, ()):
            self.refuse(Refusal(event.id, "what it withdraws is not in the log: it was refused"))
        self._on_change()


def _resolve(future: asyncio.Future[Any], value: object) -> None:
    if not future.done():
        future.set_result(value)


def _consume(future: asyncio.Future[Any]) -> None:
    """Look at a future's error: nobody has to wait for an entry, so that one that nobody asked for is no warning."""
    if not future.cancelled():
        future.exception()
