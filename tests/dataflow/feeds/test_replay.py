"""A shared replay's time: the same at the same moment for all, from start to end."""

from __future__ import annotations

from reactivex.testing import TestScheduler

from dataflow.clock import scheduler_time
from dataflow.feeds.shared_clock import Replay, SharedReplayClock

SECOND = 1_000_000
REPLAY = Replay(start=1000 * SECOND, end=1600 * SECOND, speed=60, began=50 * SECOND)


def test_it_runs_from_start_to_end():
    assert [REPLAY.at(wall * SECOND) // SECOND for wall in (0, 50, 51, 60, 61)] == [1000, 1000, 1060, 1600, 1600]


def test_how_long_until_a_time():
    assert REPLAY.wait_s(1060 * SECOND, 50 * SECOND) == 1
    assert REPLAY.wait_s(1060 * SECOND, 49 * SECOND) == 2
    assert REPLAY.wait_s(1060 * SECOND, 52 * SECOND) == 0
    assert REPLAY.wait_s(1600 * SECOND, 50 * SECOND) == 10


def test_desks_that_come_at_different_times_show_the_same():
    scheduler = TestScheduler()
    replay = Replay(REPLAY.start, REPLAY.end, 60, scheduler_time(scheduler))
    early = SharedReplayClock(scheduler, replay)
    scheduler.advance_by(3)
    late = SharedReplayClock(scheduler, replay)
    assert early.now() == late.now() == REPLAY.start + 180 * SECOND
    assert early.rest_s == 7
    scheduler.advance_by(8)
    assert (late.now(), late.rest_s) == (REPLAY.end, 0)
