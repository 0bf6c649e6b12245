"""How much each user may send: buckets, meters, and how long somebody is out; by the caller's clock."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.server import quotas
from dataflow.server.quotas import FORGIVEN_S, GIB, KIB, LONGEST_S, MIB, OUT_S, Bucket, Meter, Quota, Sent


def test_a_bucket_holds_a_burst_and_is_filled_again():
    bucket = Bucket(10, 100)
    assert bucket.take(100, 5.0)
    assert not bucket.take(1, 5.0)
    assert bucket.take(20, 7.0)
    assert not bucket.take(1, 7.0)
    assert bucket.take(100, 1000.0), "no more than a burst gathers"
    assert not bucket.take(1, 1000.0)


def test_what_is_too_much_empties_it_and_no_more():
    bucket = Bucket(10, 100)
    assert not bucket.take(1000, 0.0)
    assert not bucket.take(11, 1.0)
    assert bucket.take(10, 2.0)


def test_a_clock_that_goes_back_gives_and_takes_nothing():
    bucket = Bucket(10, 100)
    assert bucket.take(95, 50.0)
    assert bucket.take(5, 10.0)
    assert not bucket.take(1, 10.0)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 5), st.integers(0, 60)), max_size=40))
def test_nobody_gets_more_than_a_burst_and_the_rate(takes):
    bucket, now, given_ = Bucket(10, 50), 0.0, 0
    for pause, count in takes:
        now += pause
        if bucket.take(count, now):
            given_ += count
        assert given_ <= 50 + 10 * now + 1e-6


USUAL = Quota(1, 10, 1000)


def meter(quota=USUAL, used=0):
    return Meter("probe", quota, used)


def test_within_the_quota_nobody_is_out():
    one = meter()
    assert one.count(Sent(10, 100), 0.0) is None
    assert one.count(Sent(15, 200), 5.0) is None
    assert (one.used, one.is_out(5.0), one.out_until) == (200, False, None)


def test_each_offence_counts_twice_as_long_up_to_an_hour():
    one, now, sent, lengths = meter(Quota(1, 10)), 0.0, 0, []
    for _ in range(9):
        sent += 1000
        over = one.count(Sent(sent, 0), now)
        lengths.append(over.seconds)
        assert (over.name, over.why) == ("probe", "more than 1 messages a second")
        assert one.is_out(now + over.seconds - 0.1)
        assert not one.is_out(now + over.seconds)
        now += over.seconds + 10
    assert lengths == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert (OUT_S, LONGEST_S) == (60, 3600)
    over = one.count(Sent(sent + 1000, 0), now + FORGIVEN_S)
    assert over.seconds == OUT_S, "it was calm for a day"


def test_who_is_out_is_counted_and_not_told_again():
    one = meter()
    assert one.count(Sent(100, 10), 0.0).seconds == 60
    assert one.count(Sent(300, 30), 1.0) is None
    assert (one.used, one.out_until) == (30, 60.0)


@pytest.mark.parametrize(("used", "over"), [(999, False), (1000, False), (1001, True)])
def test_a_share_of_the_disk_is_used_up_until_it_is_raised(used, over):
    one = meter()
    told = one.count(Sent(1, used), 0.0)
    assert (told is not None) == over
    if told:
        assert (told.why, told.seconds) == ("its share of the disk, 1,000 bytes, is used up", None)
    assert one.is_out(1e12) == over
    one.change(Quota(1, 10, 1000))
    assert one.is_out(1e12) == over, "the same quota changes nothing"
    one.change(Quota(1, 10, 5000))
    assert not one.is_out(1.0)
    assert one.count(Sent(2, used + 10), 1.0) is None
    assert one.used == used + 10


def test_what_was_used_in_earlier_runs_counts():
    one = meter(used=990)
    assert one.count(Sent(1, 10), 0.0) is None
    assert one.count(Sent(2, 11), 1.0).seconds is None


@pytest.mark.parametrize("after", [Sent(2, 5), Sent(2, 500), Sent(50, 5)])
def test_a_server_that_was_started_again_counts_from_nothing(after):
    one = meter(Quota(100, 1000))
    one.count(Sent(10, 100), 0.0)
    one.count(after, 1.0)
    both_more = after.messages >= 10 and after.bytes >= 100
    assert not both_more
    assert one.used == 100 + after.bytes


def test_another_quota_begins_anew():
    one = meter(Quota(1, 10))
    one.count(Sent(100, 0), 0.0)
    one.change(Quota(2, 20))
    assert not one.is_out(0.0)
    assert one.count(Sent(120, 0), 0.0) is None
    assert one.count(Sent(121, 0), 0.0).seconds == OUT_S


def test_a_devices_quota_is_the_usual_one_or_its_own():
    assert quotas.of_device(None, None) == Quota(200, 2000, 2 * GIB)
    assert quotas.of_device(5, 100) == Quota(5, 50, 100)
    assert quotas.of_device(0, 0) == Quota(0, 0, 0)
    assert (quotas.OF_ROLE["viewer"], quotas.OF_ROLE["operator"]) == (Quota(200, 5000), Quota(1000, 200_000))


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"), (1023, "1,023 bytes"), (KIB, "1 KiB"), (64 * KIB, "64 KiB"), (MIB - 1, "1,024 KiB"),
        (MIB, "1 MiB"), (GIB, "1 GiB"), (2 * GIB, "2 GiB"), (3 * GIB // 2, "1.5 GiB"),
    ],
)
def test_a_size_is_told_in_its_unit(size, words):
    assert quotas.describe_size(size) == words
