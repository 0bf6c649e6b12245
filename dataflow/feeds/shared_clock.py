"""A replay that several desks share: everybody knows when it began and how fast it goes, and nobody can hold it."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from dataflow.times import micros

if TYPE_CHECKING:
    from reactivex.abc import SchedulerBase

DEMO_DAY = date(2013, 2, 8)


class Replay(msgspec.Struct, frozen=True):
    """Recorded time from `start` to `end`, `speed` times as fast as the wall's since `began`. All times in µs."""

    start: int
    end: int
    speed: float
    began: int

    def at(self, wall: int) -> int:
        """What the recorded time is at a time of the wall clock."""
        return max(self.start, min(self.end, self.start + int((wall - self.began) * self.speed)))

    def wait_s(self, time: int, wall: int) -> float:
        """Seconds from a time of the wall clock to a recorded time; 0 if it is there or over."""
        return max(0.0, (self.began - wall + (time - self.start) / self.speed) / 1e6)


class SharedReplayClock:
    """The time of a replay that nobody here can hold."""

    def __init__(self, scheduler: SchedulerBase, replay: Replay) -> None:
        self._scheduler = scheduler
        self.replay = replay

    @property
    def rest_s(self) -> float:
        """Seconds until the recording is over; 0 if it is."""
        return self.replay.wait_s(self.replay.end, micros(self._scheduler.now))

    def now(self) -> int:
        return self.at(micros(self._scheduler.now))

    def at(self, wall: int) -> int:
        """What this clock shows at a time of the wall clock."""
        return self.replay.at(wall)


def moment(text: str, zone: ZoneInfo, day: date = DEMO_DAY) -> int:
    """"06:00" on a day in a zone, in microseconds since 1970-01-01 UTC. Raises ValueError."""
    return micros(datetime.combine(day, time.fromisoformat(text), zone))
