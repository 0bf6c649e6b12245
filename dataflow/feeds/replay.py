"""The replay feed: a recording told again, at the pace of a replay clock, into the local log.

Everything recorded up to the clock's start is history: it is in the log before the first moment is replayed.
Entries take the local feed's path, so an operator can act in the middle of a replay.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from reactivex import Observable
from reactivex.abc import DisposableBase, SchedulerBase
from reactivex.disposable import Disposable, SerialDisposable
from reactivex.subject import BehaviorSubject

from dataflow.clock import ReplayClock
from dataflow.feeds.feed import Deliver, FeedStatus, OnReturn, Refusal
from dataflow.feeds.local import RETRY_S, LocalFeed
from dataflow.session import Present
from storage.errors import StorageError
from storage.event import Event
from storage.log import Appended, EventLog

TICK_S = 0.05


class ReplayFeed:
    """Appends each recorded event when the clock has reached its time."""

    def __init__(
        self,
        recording: Sequence[Event],
        clock: ReplayClock,
        log: EventLog,
        scheduler: SchedulerBase,
        deliver: Deliver,
        *,
        held: bool = False,
    ) -> None:
        """`held`: stay at the clock's start for good (for a picture of that moment)."""
        self._recording = recording
        self._times = [event.time for event in recording]
        self._next = 0
        self._clock = clock
        self._log = log
        self._scheduler = scheduler
        self._deliver = deliver
        self._local = LocalFeed(log, scheduler, deliver)
        self._local_status: DisposableBase = Disposable()
        self._tick = SerialDisposable()
        self._held = held
        self._replaying = FeedStatus("replaying", f"replaying at {clock.speed:g}×")
        self.arrivals: Observable[int] = self._local.arrivals
        self.refusals: Observable[Refusal] = self._local.refusals
        self.presence: Observable[Sequence[Present]] = self._local.presence
        self.status: BehaviorSubject[FeedStatus] = BehaviorSubject(FeedStatus("catching up"))

    def start(self, shown: Callable[[], int] | None = None, on_return: OnReturn | None = None) -> None:
        self._local.start()
        self._local_status = self._local.status.subscribe(self._follow_local)
        self._append_due()

    def publish(self, entries: Sequence[Event]) -> None:
        self._local.publish(entries)

    def pause(self, paused: bool) -> None:
        if self.status.value.state == "ended":
            return
        if paused:
            self._clock.pause()
            self._set_status(FeedStatus("paused"))
        else:
            self._clock.resume()
            self._set_status(self._replaying)

    def close(self) -> None:
        self._tick.dispose()
        self._local_status.dispose()
        self._local.close()

    def _append_due(self) -> None:
        until = bisect_right(self._times, self._clock.now(), self._next)
        due = self._recording[self._next : until]
        if not due:
            self._go_on()
            return
        appended = self._log.append(due)
        appended.add_done_callback(lambda future: self._deliver(self._appended, until, future))

    def _appended(self, until: int, future: Future[Appended]) -> None:
        error = future.exception()
        if isinstance(error, StorageError):
            self._set_status(FeedStatus("failed", str(error)))
            self._wait(RETRY_S)
            return
        self._local.arrived(max(future.result().positions))
        self._next = until
        self._go_on()

    def _go_on(self) -> None:
        if self.status.value.state == "catching up" and not self._held:
            self._clock.resume()
        if self.status.value.state in ("catching up", "failed"):
            self._set_status(self._replaying)
        self._wait(TICK_S)

    def _wait(self, seconds: float) -> None:
        if self._clock.ended and self._next == len(self._recording):
            self._set_status(FeedStatus("ended", "the recording is over"))
            return
        self._tick.disposable = self._scheduler.schedule_relative(seconds, lambda *_: self._append_due())

    def _follow_local(self, status: FeedStatus) -> None:
        if status.state == "offline":
            self._set_status(FeedStatus("failed", status.detail))
        elif self.status.value.state == "failed":
            self._set_status(self._replaying)

    def _set_status(self, status: FeedStatus) -> None:
        if status != self.status.value:
            self.status.on_next(status)
