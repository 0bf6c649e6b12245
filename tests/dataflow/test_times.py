"""Local times as text, for all that 64 bits hold."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.sql.runtime.calendar import strftime, to_local
from dataflow.times import in_range, local_day, local_text, moment, parse
from storage.times import EARLIEST, LATEST

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago")
zones = st.sampled_from(ZONES)
times = st.integers(-(2**63), 2**63 - 1) | st.sampled_from(
    [edge + shift for edge in (EARLIEST, LATEST, -(2**63), 2**63 - 1, 0) for shift in (-1, 0, 1)]
).filter(lambda us: -(2**63) <= us < 2**63)


@given(st.integers(EARLIEST + 10**17, LATEST - 10**12), zones)
def test_it_is_datetimes_text_where_that_reaches(us, name):
    zone = ZoneInfo(name)
    for pattern in ("%Y-%m-%d %H:%M:%S.%f", "%a %d %b %y %j", "%H:%M %z %Z", "%G-W%V-%u", "100 %%"):
        assert local_text(us, zone, pattern) == moment(us, zone).strftime(pattern)
    assert local_day(us, zone) == moment(us, zone).toordinal()


@given(times, zones)
def test_every_time_has_the_text_that_sql_gives_it(us, name):
    local = to_local(us, name)
    pattern = "%m-%d %H:%M:%S.%f %j %a %u %V"
    assert local_text(us, ZoneInfo(name), pattern) == strftime(local, pattern)
    assert int(local_text(us, ZoneInfo(name), "%Y")) == int(strftime(local, "%Y"))


@given(times, zones, st.text("aAbBcdDeFfGgHIjmMnpSTuUVwWxXyYZz%-_:", max_size=5).map(lambda text: f"%{text}"))
def test_no_pattern_that_a_format_may_have_fails(us, name, pattern):
    try:
        datetime(2000, 1, 1, tzinfo=ZoneInfo(name)).strftime(pattern)
    except ValueError:
        return
    assert isinstance(local_text(us, ZoneInfo(name), pattern), str)


@pytest.mark.parametrize(
    ("us", "zone", "text"),
    [
        (EARLIEST, "America/New_York", "0000-12-31 19:03:58"),
        (EARLIEST, "Europe/Berlin", "0001-01-01 00:53:28"),
        (LATEST, "Europe/Berlin", "+10000-01-01 00:59:59"),
        (LATEST, "America/New_York", "9999-12-31 18:59:59"),
        (-(2**63), "UTC", "-290308-12-21 19:59:05"),
    ],
)
def test_the_edges(us, zone, text):
    assert local_text(us, ZoneInfo(zone), "%Y-%m-%d %H:%M:%S") == text


def test_the_years_of_old_are_written_in_full():
    us = parse("0790-03-01T10:20:30Z")
    assert local_text(us, ZoneInfo("UTC"), "%F %C %c") == "0790-03-01 07 Thu Mar  1 10:20:30 0790"


def test_what_64_bits_do_not_hold_is_no_time():
    with pytest.raises(OverflowError):
        local_text(2**63, ZoneInfo("UTC"), "%Y")


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59.999999-00:01"])
def test_a_time_that_rfc_3339_cannot_write_in_utc_is_not_read(text):
    with pytest.raises(ValueError, match="1 to 9999"):
        parse(text)
    assert parse(text[:-6]) in (EARLIEST, LATEST)


def test_local_times_at_the_ends_are_not_read_either():
    with pytest.raises(ValueError, match="1 to 9999"):
        parse("0001-01-01T00:00:00", ZoneInfo("Europe/Berlin"))
    for us in (EARLIEST - 1, LATEST + 1):
        with pytest.raises(ValueError, match="1 to 9999"):
            in_range(us)
