"""Times as text, for all that 64 bits hold: beside `datetime` where it reaches, by the calendar's cycle beyond."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.cloudevents import encode
from storage.times import CYCLE_US, EARLIEST, LATEST, iso
from tests.storage.samples import event

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.integers(EARLIEST, LATEST))
def test_it_is_rfc_3339_where_that_reaches(us):
    assert datetime.fromisoformat(iso(us)) == EPOCH + timedelta(microseconds=us)


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_time_has_a_text_and_the_next_cycle_differs_in_the_year_alone(us):
    year, rest = iso(us)[:-16], iso(us)
    assert iso(us)
    if not -(2**63) <= us + CYCLE_US < 2**63:
        return
    later = iso(us + CYCLE_US)
    assert later[later.index("-", 1) :] == rest[rest.index("-", 1) :]
    assert int(later[: later.index("-", 1)]) == int(rest[: rest.index("-", 1)]) + 400, year


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (EARLIEST, "0001-01-01T00:00:00Z"),
        (EARLIEST - 1, "0000-12-31T23:59:59.999999Z"),
        (LATEST, "9999-12-31T23:59:59.999999Z"),
        (LATEST + 1, "+10000-01-01T00:00:00Z"),
        (2**63 - 1, "+294247-01-10T04:00:54.775807Z"),
        (-(2**63), "-290308-12-21T19:59:05.224192Z"),
    ],
)
def test_the_edges(us, text):
    assert iso(us) == text


def test_an_event_of_any_time_can_be_written():
    for time in (-(2**63), 2**63 - 1, EARLIEST - 1, LATEST + 1):
        assert f'"time":"{iso(time)}"'.encode() in encode(event(1, time=time))
