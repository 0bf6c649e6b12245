"""Time is an input: live boards use the wall clock, replays the recorded events' time, tests a virtual clock.

All times are integers, microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from typing import Protocol

from reactivex.abc import SchedulerBase

from dataflow.times import micros


class Clock(Protocol):
    """What a board calls `now()`."""

    def now(self) -> int: ...


def scheduler_time(scheduler: SchedulerBase) -> int:
    """The scheduler's own time: the wall clock's on an event loop, virtual in tests."""
    return micros(scheduler.now)


class WallClock:
    """The scheduler's time."""

    def __init__(self, scheduler: SchedulerBase) -> None:
        self._scheduler = scheduler

    def now(self) -> int:
        return scheduler_time(self._scheduler)


class FixedClock:
    """Time that stands still: for pictures of one moment."""

    def __init__(self, now: int) -> None:
        self._now = now

    def now(self) -> int:
        return self._now


class ReplayClock:
    """Recorded time, `speed` times as fast as the scheduler's, from `start` to `end`. Stands until resumed."""

    def __init__(self, scheduler: SchedulerBase, start: int, end: int, speed: float) -> None:
        self._scheduler = scheduler
        self._at = start
        self._end = end
        self.speed = speed
        self._since: int | None = None

    @property
    def running(self) -> bool:
        return self._since is not None

    @property
    def ended(self) -> bool:
        return self.now() >= self._end

    def now(self) -> int:
        if self._since is None:
            return self._at
        elapsed = scheduler_time(self._scheduler) - self._since
        return min(self._end, self._at + int(elapsed * self.speed))

    def pause(self) -> None:
        self._at, self._since = self.now(), None

    def resume(self) -> None:
        self._at, self._since = self.now(), scheduler_time(self._scheduler)
