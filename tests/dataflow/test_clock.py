"""Clocks: recorded time runs as told, stands when held, and ends."""

from __future__ import annotations

from reactivex.testing import TestScheduler

from dataflow.clock import FixedClock, ReplayClock, WallClock

SECOND = 1_000_000


def test_a_replay_clock_runs_speed_times_as_fast_from_start_to_end():
    scheduler = TestScheduler()
    clock = ReplayClock(scheduler, 1000 * SECOND, 1100 * SECOND, 60)
    scheduler.advance_by(5)
    assert clock.now() == 1000 * SECOND
    clock.resume()
    scheduler.advance_by(1)
    assert clock.now() == 1060 * SECOND
    clock.pause()
    scheduler.advance_by(5)
    assert clock.now() == 1060 * SECOND
    clock.resume()
    scheduler.advance_by(5)
    assert (clock.now(), clock.ended) == (1100 * SECOND, True)


def test_a_wall_clock_is_the_schedulers():
    scheduler = TestScheduler()
    clock = WallClock(scheduler)
    before = clock.now()
    scheduler.advance_by(2)
    assert clock.now() - before == 2 * SECOND


def test_a_fixed_clock_stands():
    assert FixedClock(7).now() == 7
