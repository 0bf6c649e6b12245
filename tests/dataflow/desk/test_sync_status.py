"""How a pipeline stands: one state out of the feed's and the views', since when, and a progress that only rises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.desk.catch_up import CatchUp
from dataflow.desk.sync_status import FAR, SyncStatus
from dataflow.feeds.feed import FeedStatus

LIVE, OFFLINE = FeedStatus("live"), FeedStatus("offline", "no answer")


class World:
    """Clocks that are set by hand."""

    def __init__(self):
        self.now, self.seconds = 1_000, 0.0
        self.standing = SyncStatus(lambda: self.now, lambda: self.seconds)

    def says(self, state, behind=0, at=None):
        self.now = at or self.now
        self.standing.receive_feed(FeedStatus(state, behind=behind))


@pytest.fixture
def world():
    return World()


def caught_up(world):
    world.says("live")
    world.standing.note_step(0, 0)
    world.standing.note_ready()
    assert world.standing.state == "live"
    return world.standing


def test_a_state_has_begun_when_it_was_first_said_and_not_when_it_is_said_again(world):
    standing = caught_up(world)
    world.says("offline", at=2_000)
    world.now = 3_000
    standing.receive_feed(OFFLINE)
    assert (standing.state, standing.since, standing.detail) == ("offline", 2_000, "no answer")
    world.says("catching up", behind=5, at=4_000)
    assert (standing.state, standing.since) == ("catching up", 4_000)
    world.says("live", at=5_000)
    standing.note_step(5, 0)
    assert (standing.state, standing.since) == ("live", 5_000)


def test_a_desk_that_starts_without_a_server_is_offline_since_the_server_was_missed(world):
    world.says("offline", at=2_000)
    world.standing.note_step(100, 50)
    assert (world.standing.state, world.standing.since) == ("catching up", 1_000)
    world.standing.note_step(50, 0)
    world.now = 9_000
    world.standing.note_ready()
    assert (world.standing.state, world.standing.since) == ("offline", 2_000)
    assert world.standing.catching_up is None


def test_progress_covers_what_is_received_and_what_is_shown(world):
    standing = caught_up(world)
    world.says("catching up", behind=1000)
    standing.note_step(0, 0)
    assert (standing.catching_up.progress, standing.catching_up.to_go) == (0, 1000)
    world.says("catching up", behind=500)
    standing.note_step(0, 500)
    assert (standing.catching_up.progress, standing.catching_up.to_go) == (0.25, 1000)
    standing.note_step(500, 0)
    assert (standing.catching_up.progress, standing.catching_up.to_go) == (0.5, 500)
    world.says("live")
    standing.note_step(0, 500)
    assert (standing.state, standing.catching_up.progress) == ("catching up", 0.75)
    standing.note_step(500, 0)
    assert (standing.state, standing.catching_up) == ("live", None)


def test_what_was_on_disk_is_no_progress_before_the_server_has_said_how_much_there_is(world):
    """A desk that was away has little to read from its disk, and much from the server, which answers later."""
    standing = world.standing
    standing.note_step(200, 0)
    assert standing.catching_up.progress is None
    world.says("catching up", behind=900)
    standing.note_step(0, 0)
    assert standing.catching_up.progress == 0.1


def test_an_outage_while_catching_up_begins_nothing_anew(world):
    standing = caught_up(world)
    world.says("catching up", behind=1000)
    world.says("catching up", behind=400)
    standing.note_step(600, 0)
    assert standing.catching_up.progress == 0.6
    world.says("offline")
    standing.note_step(0, 0)
    assert (standing.state, standing.catching_up) == ("offline", None)
    world.says("catching up", behind=500)
    standing.note_step(0, 0)
    assert standing.catching_up.progress == 0.6
    world.says("live")
    standing.note_step(500, 0)
    assert standing.state == "live"


def test_a_live_log_that_the_views_are_far_behind_is_not_called_live(world):
    standing = caught_up(world)
    standing.note_step(64, FAR)
    assert standing.state == "live"
    standing.note_step(64, FAR + 1)
    assert standing.state == "catching up"
    standing.note_step(FAR + 1, 0)
    assert standing.state == "live"


NUMBERS = st.integers(0, 2000)


@given(st.lists(st.tuples(st.sampled_from(["behind", "show"]), NUMBERS, NUMBERS), max_size=60))
def test_progress_never_falls_whatever_comes(steps):
    catch_up, seen = CatchUp(0.0), []
    for kind, first, second in steps:
        if kind == "behind":
            catch_up.received(first)
        else:
            catch_up.shown(first, second, 0.0)
            seen.append(catch_up.progress)
    told = [each for each in seen if each is not None]
    assert told == sorted(told)
    assert all(0 <= each <= 1 for each in told)


def test_the_rest_takes_as_long_as_the_last_seconds_say():
    catch_up = CatchUp(0.0)
    catch_up.received(10_000)
    assert catch_up.left_s(0.0) is None
    for second in range(1, 5):
        catch_up.received(10_000 - 1000 * second)
        catch_up.shown(1000, 0, float(second))
    assert catch_up.left_s(1.0) is None
    assert catch_up.left_s(4.0) == pytest.approx(6.0)      # 6,000 to receive and to show, 2,000 of these a second
    assert catch_up.left_s(8.0) == pytest.approx(12.0)     # nothing has come since
