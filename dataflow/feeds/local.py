"""The local feed: the SQLite log itself gives positions. The default; it needs no server.

An entry is confirmed by the transaction that moves it from the outbox to the log. What another process appends to the
same store arrives in the same way. A guarded entry is judged in that transaction, so that no process comes between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future

from reactivex import Observable, just
from reactivex.abc import SchedulerBase
from reactivex.disposable import SerialDisposable
from reactivex.subject import BehaviorSubject, Subject

from dataflow.feeds.feed import Deliver, FeedStatus, OnReturn, Refusal
from dataflow.session import Present
from storage.errors import StorageError
from storage.event import Event
from storage.log import EventLog, Judged

RETRY_S = 2.0
_REMEMBERED = 10_000


class LocalFeed:
    """Confirms entries by appending them to the log; tries again every two seconds while the disk refuses."""

    def __init__(self, log: EventLog, scheduler: SchedulerBase, deliver: Deliver) -> None:
        self._log = log
        self._scheduler = scheduler
        self._deliver = deliver
        self._unwatch: Callable[[], None] = _nothing
        self._waiting: dict[str, Event] = {}
        self._own: dict[str, None] = {}
        self._held = log.last()
        self._retry = SerialDisposable()
        self._live = FeedStatus("live")
        self.arrivals: BehaviorSubject[int] = BehaviorSubject(log.last())
        self.status: BehaviorSubject[FeedStatus] = BehaviorSubject(self._live)
        self.refusals: Subject[Refusal] = Subject()
        self.presence: Observable[Sequence[Present]] = just(())

    def start(self, shown: Callable[[], int] | None = None, on_return: OnReturn | None = None) -> None:
        self._unwatch = self._log.watch(lambda position: self._deliver(self.arrived, position))
        self.arrived(self._log.last())

    def publish(self, entries: Sequence[Event]) -> None:
        self._waiting.update((entry.id, entry) for entry in entries)
        self._remember(entries)
        self._append(entries)

    def pause(self, paused: bool) -> None:
        """A live log can't be held."""

    def close(self) -> None:
        self._unwatch()
        self._retry.dispose()

    def _remember(self, entries: Sequence[Event]) -> None:
        self._own.update((entry.id, None) for entry in entries)
        while len(self._own) > _REMEMBERED:
            del self._own[next(iter(self._own))]

    def _append(self, entries: Sequence[Event]) -> None:
        judged = self._log.append_guarded(entries, self._own, self._held)
        judged.add_done_callback(lambda future: self._deliver(self._appended, entries, future))

    def _appended(self, entries: Sequence[Event], future: Future[Judged]) -> None:
        error = future.exception()
        if isinstance(error, StorageError):
            self.status.on_next(FeedStatus("offline", str(error)))
            self._retry.disposable = self._scheduler.schedule_relative(RETRY_S, lambda *_: self._again())
            return
        judged = future.result()
        self.arrived(judged.last)
        for entry in entries:
            self._waiting.pop(entry.id, None)
        for entry in judged.stale:
            self.refusals.on_next(Refusal.changed(entry))
        if self.status.value != self._live:
            self.status.on_next(self._live)

    def _again(self) -> None:
        if self._waiting:
            self._append(list(self._waiting.values()))

    def arrived(self, position: int) -> None:
        """The log holds events up to `position` now."""
        if position > self.arrivals.value:
            self.arrivals.on_next(position)


class StillFeed(LocalFeed):
    """The log as it is, for a picture of it: nothing arrives any more, and entries stay pending. `status` is how the
    desk stood that the store belongs to.
    """

    def __init__(self, log: EventLog, scheduler: SchedulerBase, deliver: Deliver, status: FeedStatus) -> None:
        super().__init__(log, scheduler, deliver)
        self.status.on_next(status)

    def start(self, shown: Callable[[], int] | None = None, on_return: OnReturn | None = None) -> None:
        """All that the log holds has arrived."""

    def publish(self, entries: Sequence[Event]) -> None:
        """They wait."""


def _nothing() -> None:
    """There is nothing to stop yet."""
