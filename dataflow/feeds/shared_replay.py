"""A desk's side of a replay that somebody else tells to the shared log: the log's feed, in the replay's words.

While the log is live the feed says how fast the replay goes, and at its end that the recording is over: entries are
taken all the same. Nobody can hold what is told to all. Times of presence are the replay's, as all others on the board.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from reactivex import Observable
from reactivex import operators as ops
from reactivex.abc import DisposableBase, SchedulerBase
from reactivex.disposable import Disposable, SerialDisposable
from reactivex.subject import BehaviorSubject

from dataflow.feeds.feed import Feed, FeedStatus, OnReturn, Refusal
from dataflow.feeds.shared_clock import SharedReplayClock
from dataflow.session import Present
from storage.event import Event


class SharedReplayFeed:
    """`feed` is the shared log's."""

    def __init__(self, feed: Feed, clock: SharedReplayClock, scheduler: SchedulerBase) -> None:
        self._feed, self._clock, self._scheduler = feed, clock, scheduler
        self._log_status = FeedStatus("catching up")
        self._listening: DisposableBase = Disposable()
        self._end = SerialDisposable()
        self.arrivals: Observable[int] = feed.arrivals
        self.refusals: Observable[Refusal] = feed.refusals
        self.presence: Observable[Sequence[Present]] = feed.presence.pipe(ops.map(self._in_replay))
        self.status: BehaviorSubject[FeedStatus] = BehaviorSubject(self._log_status)

    def start(self, shown: Callable[[], int] | None = None, on_return: OnReturn | None = None) -> None:
        self._listening = self._feed.status.subscribe(self._hear)
        self._feed.start(shown, on_return)
        self._await_end()

    def publish(self, entries: Sequence[Event]) -> None:
        self._feed.publish(entries)

    def pause(self, paused: bool) -> None:
        """What is told to all can't be held for one."""

    def close(self) -> None:
        self._end.dispose()
        self._listening.dispose()
        self._feed.close()

    def _await_end(self, *_: object) -> None:
        if self._clock.rest_s > 0:
            self._end.disposable = self._scheduler.schedule_relative(self._clock.rest_s, self._await_end)
        else:
            self._set_status()

    def _hear(self, status: FeedStatus) -> None:
        self._log_status = status
        self._set_status()

    def _set_status(self) -> None:
        status = self._log_status
        if status.heard:
            status = msgspec.structs.replace(status, heard=self._clock.at(status.heard))
        if status.state == "live":
            over = self._clock.rest_s == 0
            state, detail = ("ended", "the recording is over") if over else ("live", self._describe_pace())
            status = msgspec.structs.replace(status, state=state, detail=detail)
        if status != self.status.value:
            self.status.on_next(status)

    def _describe_pace(self) -> str:
        return f"replaying at {self._clock.replay.speed:g}×"

    def _in_replay(self, present: Sequence[Present]) -> Sequence[Present]:
        return tuple(msgspec.structs.replace(one, since=self._clock.at(one.since)) for one in present)
