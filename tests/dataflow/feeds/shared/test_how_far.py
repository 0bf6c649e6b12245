"""When a NATS feed calls itself live: not while much is still to come, and not the one way and the other in turns."""

from __future__ import annotations

import asyncio

import pytest
from reactivex.testing import TestScheduler

from dataflow.feeds.shared.feed import FAR, NEAR, NatsFeed
from storage.database import Database


@pytest.fixture
def feed():
    with Database.open(None) as database:
        yield NatsFeed([], "b", "amy", database, TestScheduler(), lambda *_: None, None)


def says(feed, behind, *, caught_up=True):
    feed._stands(behind, caught_up, asyncio.Event())
    return feed.status.value.state, feed.status.value.behind


def test_it_is_live_once_all_there_was_has_come(feed):
    assert says(feed, 4_000_000, caught_up=False) == ("catching up", 4_000_000)
    assert says(feed, 1, caught_up=False) == ("catching up", 1)
    assert says(feed, 0) == ("live", 0)


def test_a_burst_is_no_catching_up_but_falling_behind_is(feed):
    assert says(feed, 0) == ("live", 0)
    assert says(feed, FAR) == ("live", 0)
    assert says(feed, FAR + 1) == ("catching up", FAR + 1)
    assert says(feed, FAR) == ("catching up", FAR)
    assert says(feed, NEAR) == ("live", 0)
    assert says(feed, NEAR + 1) == ("live", 0)


def test_others_are_told_what_the_views_lack(feed):
    shown = 90
    feed.introduce(lambda: shown, lambda *_: None)
    feed.arrivals.on_next(100)
    says(feed, 30)
    assert feed._how_far() == (90, 40)
    shown = 100
    says(feed, 0)
    assert feed._how_far() == (100, 0)
