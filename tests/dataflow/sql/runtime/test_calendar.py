"""The calendar against Python's, within the years that Python knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from dataflow.sql.runtime import calendar

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
FORMAT = "%d %H:%M:%S.%f %j %a %A %b %B %y %I %p %m %%"
moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


@given(moments)
def test_parts_and_texts(moment: datetime) -> None:
    value = micros(moment)
    assert calendar.date_of(value // calendar.DAY) == (moment.year, moment.month, moment.day)
    assert calendar.days_from(moment.year, moment.month, moment.day) == value // calendar.DAY
    assert (calendar.iso_year(value), calendar.iso_week(value)) == moment.isocalendar()[:2]
    assert calendar.strftime(value, FORMAT) == moment.strftime(FORMAT)
    assert calendar.trunc_week(value) == micros(
        (moment - timedelta(days=moment.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    )


@given(st.datetimes(datetime(1975, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_zones(moment: datetime) -> None:
    value, zone = micros(moment), "America/New_York"
    local = calendar.to_local(value, zone)
    assert EPOCH + timedelta(microseconds=local) == moment.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
    again = calendar.from_local(local, zone)
    assert again == value or abs(again - value) == calendar.HOUR


@given(st.integers(-(2**62), 2**62), st.integers(-5000, 5000))
def test_no_year_is_out_of_range(value: int, months: int) -> None:
    moved = calendar.add_months(value, months)
    assert calendar.month_count(moved) == calendar.month_count(value) + months
    assert moved % calendar.DAY == value % calendar.DAY
    assert abs(calendar.to_local(value, "America/New_York") - value) < calendar.DAY
