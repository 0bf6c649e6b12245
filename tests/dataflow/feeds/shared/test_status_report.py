"""When a NATS feed calls itself live: not while much is still to come, and not the one way and the other in turns."""

from __future__ import annotations

import pytest

from dataflow.feeds.feed import FeedStatus
from dataflow.feeds.shared.presence import measure_progress
from dataflow.feeds.shared.status_report import FAR, KEEP_US, NEAR, StatusReport


class Mirror:
    """What is kept of when the log was heard."""

    def __init__(self, heard=0):
        self.heard, self.kept = heard, []

    def hear(self, time):
        self.kept.append(time)


class Report(StatusReport):
    """With a clock that the test sets, and all that it says."""

    def __init__(self, heard=0):
        self.clock, self.mirror, self.told = 1000, Mirror(heard), []
        super().__init__("nats://tower", self.mirror, lambda: self.clock)
        self.status.subscribe(self.told.append)

    def says(self, behind, *, caught_up=True):
        self.set_progress(behind, caught_up)
        return self.status.value.state, self.status.value.behind


@pytest.fixture
def report():
    return Report()


def test_it_is_live_once_all_there_was_has_come(report):
    assert report.says(4_000_000, caught_up=False) == ("catching up", 4_000_000)
    assert report.says(1, caught_up=False) == ("catching up", 1)
    assert report.says(0) == ("live", 0)


def test_a_burst_is_no_catching_up_but_falling_behind_is(report):
    assert report.says(0) == ("live", 0)
    assert report.says(FAR) == ("live", 0)
    assert report.says(FAR + 1) == ("catching up", FAR + 1)
    assert report.says(FAR) == ("catching up", FAR)
    assert report.says(NEAR) == ("live", 0)
    assert report.says(NEAR + 1) == ("live", 0)


@pytest.mark.parametrize(
    ("shown", "reached", "behind", "lacks"), [(90, 100, 30, 40), (100, 100, 0, 0), (100, 90, 5, 5)]
)
def test_others_are_told_what_the_views_lack(shown, reached, behind, lacks):
    assert measure_progress(shown, reached, behind) == (shown, lacks)


def test_it_has_heard_as_much_as_came_until_it_is_live():
    report = Report(heard=300)
    assert report.told == [FeedStatus("catching up", heard=300, log="nats://tower")]
    report.hear_event(500)
    report.hear_event(400)
    report.says(5, caught_up=False)
    assert report.told[-1].heard == 500
    report.hear_event(2000)
    report.says(4, caught_up=False)
    assert report.told[-1].heard == 1000, "no event is of later than now"
    report.clock = 1500
    report.says(0)
    assert report.told[-1].heard == 1500
    report.hear_event(9999)
    report.set_state("offline")
    assert (report.told[-1].heard, report.mirror.kept) == (1500, [1500])


def test_while_it_follows_the_log_what_is_heard_goes_on_and_is_kept_now_and_then():
    report = Report()
    report.hear(1001)
    assert len(report.told) == 1, "it does not follow the log yet"
    report.says(0)
    report.hear(1000 + KEEP_US - 1)
    first = list(report.mirror.kept)
    report.hear(1000 + 3 * KEEP_US)
    report.hear(1000 + 3 * KEEP_US)
    assert report.told[-1].heard == 1000 + 3 * KEEP_US
    assert len(report.told) == 4
    assert report.mirror.kept == [*first, 1000 + 3 * KEEP_US]
    report.hear(5)
    assert report.mirror.kept[-1] == 5, "somebody set the clock back"
    report.set_trouble("is its disk full?")
    report.hear(7)
    assert (report.told[-1].state, report.told[-1].heard) == ("failed", 7), "entries are not taken, all else goes on"
    report.set_state("failed", "another reason")
    report.hear(9)
    assert report.told[-1].heard == 7


def test_trouble_with_entries_is_told_while_it_is_live_and_no_longer_than_it_lasts(report):
    report.set_trouble("full")
    assert len(report.told) == 1
    report.says(0)
    assert (report.told[-1].state, report.told[-1].detail) == ("failed", "full")
    report.set_trouble("no answer")
    assert (report.told[-1].state, report.told[-1].detail) == ("failed", "no answer")
    report.set_trouble("")
    assert (report.told[-1].state, report.told[-1].detail) == ("live", "")
    report.set_state("offline", "gone")
    report.set_trouble("full")
    assert (report.told[-1].state, report.told[-1].detail) == ("offline", "gone")


def test_warnings_stand_beside_one_another_and_are_told_once(report):
    report.warn("clock", "")
    assert len(report.told) == 1
    report.warn("clock", "an hour off")
    report.warn("sources", "no tele.*")
    report.warn("sources", "no tele.*")
    assert [status.warning for status in report.told] == ["", "an hour off", "an hour off; no tele.*"]
    report.says(0)
    assert report.told[-1].warning == "an hour off; no tele.*"
    report.warn("clock", "")
    assert report.told[-1].warning == "no tele.*"


def test_a_log_that_is_another_is_said_until_the_next_try(report):
    report.mismatch = True
    report.set_state("refused", "made anew")
    assert report.told[-1].unfit
    report.mismatch = False
    report.says(0)
    assert not report.told[-1].unfit


def test_nothing_is_told_twice_or_after_the_end(report):
    report.says(0)
    count = len(report.told)
    report.says(0)
    assert len(report.told) == count
    report.clock = 5000
    report.hear(5000)
    report.close()
    assert report.mirror.kept == [5000]
    count = len(report.told)
    report.hear(9 * KEEP_US)
    report.set_state("offline")
    report.warn("clock", "x")
    report.set_trouble("y")
    report.close()
    assert (len(report.told), report.mirror.kept) == (count, [5000])
