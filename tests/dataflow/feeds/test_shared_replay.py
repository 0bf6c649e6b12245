"""A desk's side of a shared replay: the log's own words where it is cut off, else the replay's."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from reactivex import never
from reactivex.subject import BehaviorSubject
from reactivex.testing import TestScheduler

from dataflow.clock import scheduler_time
from dataflow.feeds.feed import FeedStatus
from dataflow.feeds.shared_clock import Replay, SharedReplayClock
from dataflow.feeds.shared_replay import SharedReplayFeed
from dataflow.session import Present

SECOND = 1_000_000


@pytest.fixture
def desk():
    """A feed on a log of the test's own; the replay began now, and goes on for ten seconds."""
    scheduler = TestScheduler()
    clock = SharedReplayClock(scheduler, Replay(0, 600 * SECOND, 60, scheduler_time(scheduler)))
    log = SimpleNamespace(
        arrivals=never(), refusals=never(), presence=BehaviorSubject(()), status=BehaviorSubject(FeedStatus("live")),
        start=lambda *_: None, close=lambda: None, published=[],
    )  # fmt: skip
    log.publish = log.published.extend
    feed = SharedReplayFeed(log, clock, scheduler)
    said = []
    feed.status.subscribe(lambda status: said.append((status.state, status.detail)))
    feed.start()
    yield SimpleNamespace(feed=feed, log=log, said=said, scheduler=scheduler, clock=clock)
    feed.close()


def test_it_says_how_fast_it_goes_and_when_it_is_over(desk):
    desk.scheduler.advance_by(9)
    assert desk.said == [("catching up", ""), ("live", "replaying at 60×")]
    desk.scheduler.advance_by(1)
    assert desk.said[2:] == [("ended", "the recording is over")]


def test_a_log_that_is_away_says_so_also_after_the_end(desk):
    desk.log.status.on_next(FeedStatus("offline", "no answer"))
    desk.scheduler.advance_by(10)
    desk.log.status.on_next(FeedStatus("catching up"))
    desk.log.status.on_next(FeedStatus("live"))
    states = ["catching up", "live", "offline", "catching up", "ended"]
    assert [state for state, _ in desk.said] == states


def test_entries_go_to_the_log_and_nobody_holds_it(desk):
    desk.feed.pause(True)
    desk.scheduler.advance_by(1)
    assert desk.clock.now() == 60 * SECOND
    desk.feed.publish(["entry"])
    assert desk.log.published == ["entry"]


def test_who_came_when_is_told_in_the_replays_time(desk):
    shown = []
    desk.feed.presence.subscribe(shown.append).dispose()
    desk.scheduler.advance_by(2)
    desk.log.presence.on_next((Present("amy", "operator", 7, scheduler_time(desk.scheduler)),))
    desk.feed.presence.subscribe(shown.append).dispose()
    assert shown == [(), (Present("amy", "operator", 7, 120 * SECOND),)]
