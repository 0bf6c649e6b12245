"""Dates and clocks as whole numbers, for any year: what generated code calls for times.

Times are microseconds since 1970-01-01 UTC; a `local` time counts from 1970-01-01 on the local clock. The calendar
is the proleptic Gregorian one, computed after Hinnant ("chrono-compatible low-level date algorithms"), so no value
is out of range.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from dataflow.zones import find_zone

__all__ = [
    "DAY", "HOUR", "MINUTE", "SECOND", "add_months", "bucket_months", "day_name", "day_of_month", "day_of_year",
    "era_year", "from_local", "iso_week", "iso_year", "moment", "month", "month_count", "month_name", "quarter",
    "strftime", "to_local", "trunc_era", "trunc_isoyear", "trunc_month", "trunc_week", "year",
]  # fmt: skip

SECOND, MINUTE, HOUR, DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
CYCLE = 146_097
"""Days in 400 years, after which the calendar repeats, weekdays and all."""


class Date(NamedTuple):
    year: int
    month: int
    day: int


@lru_cache(maxsize=65536)
def date_of(days: int) -> Date:
    """The date of a day counted from 1970-01-01."""
    era, day_of_era = divmod(days + 719_468, CYCLE)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return Date(year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1)


def days_from(year: int, month: int, day: int) -> int:
    """The day's count from 1970-01-01."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * CYCLE + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


def month_days(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def date_day(days: int) -> int | None:
    """NULL beyond the 32 bits of a date, whose ends stand for the infinite ones."""
    return days if -(2**31) + 2 <= days < 2**31 - 1 else None


def _day(value: int) -> Date:
    return date_of(value // DAY)


# parts


def year(value: int) -> int:
    return _day(value).year


def month(value: int) -> int:
    return _day(value).month


def quarter(value: int) -> int:
    return (_day(value).month + 2) // 3


def day_of_month(value: int) -> int:
    return _day(value).day


def day_of_year(value: int) -> int:
    return value // DAY - days_from(year(value), 1, 1) + 1


def _thursday(value: int) -> int:
    """The day that says which year the ISO week belongs to."""
    days = value // DAY
    return days - (days + 3) % 7 + 3


def iso_week(value: int) -> int:
    thursday = _thursday(value)
    return (thursday - days_from(date_of(thursday).year, 1, 1)) // 7 + 1


def iso_year(value: int) -> int:
    return date_of(_thursday(value)).year


def day_name(value: int) -> str:
    return WEEKDAYS[(value // DAY + 3) % 7]


def month_name(value: int) -> str:
    return MONTHS[month(value) - 1]


def month_count(value: int) -> int:
    day = _day(value)
    return day.year * 12 + day.month


def era_year(value: int) -> int:
    """The year after Christ, or before."""
    found = year(value)
    return found if found > 0 else 1 - found


# truncation

LAST = 9_223_372_036_854_775_806
FIRST = -9_223_372_022_400_000_000


def moment(micros: int) -> int | None:
    """NULL beyond what a timestamp holds."""
    return micros if FIRST <= micros <= LAST else None


def _month_start(count: int) -> int:
    """Of a month counted from January of year 0."""
    return days_from(count // 12, count % 12 + 1, 1) * DAY


def trunc_week(value: int) -> int:
    days = value // DAY
    return (days - (days + 3) % 7) * DAY


def trunc_isoyear(value: int) -> int:
    """To the Monday of its ISO year's first week."""
    start = days_from(iso_year(value), 1, 4)
    return (start - (start + 3) % 7) * DAY


def trunc_month(value: int, months: int) -> int:
    """Down to a multiple of `months` counted from year 0; before it, decades and longer go up, as in DuckDB."""
    count = month_count(value) - 1
    if count < 0 and months >= 120:
        return _month_start(-(-(year(value) * 12) // months * months))
    return _month_start((month_count(value) - 1) // months * months)


def trunc_era(value: int, months: int) -> int:
    """Down to a multiple of decades or more, counted from the birth of Christ both ways, as ICU does."""
    years, found = months // 12, year(value)
    start = found // years * years if found > 0 else 1 - (1 - found) // years * years
    return days_from(start, 1, 1) * DAY


BUCKETS_FROM = 946_857_600_000_000
"""Monday 2000-01-03, where DuckDB's buckets start; those of months start at 2000-01-01."""


def bucket_months(months: int, value: int) -> int:
    return _month_start(24_000 + (month_count(value) - 1 - 24_000) // months * months)


def add_months(value: int, months: int) -> int:
    """The same day of another month, or that month's last."""
    days, clock = divmod(value, DAY)
    date = date_of(days)
    year, zero_month = divmod(date.year * 12 + date.month - 1 + months, 12)
    day = min(date.day, month_days(year, zero_month + 1))
    return days_from(year, zero_month + 1, day) * DAY + clock


# text


def _year_text(year: int) -> str:
    return f"{year:04d}" if year >= 0 else str(year)


LETTERS: dict[str, Callable[[int], str]] = {
    "Y": lambda v: _year_text(year(v)), "y": lambda v: f"{abs(year(v)) % 100:02d}", "m": lambda v: f"{month(v):02d}",
    "d": lambda v: f"{day_of_month(v):02d}", "j": lambda v: f"{day_of_year(v):03d}",
    "H": lambda v: f"{v // HOUR % 24:02d}", "I": lambda v: f"{(v // HOUR + 11) % 12 + 1:02d}",
    "p": lambda v: "AM" if v // HOUR % 24 < 12 else "PM", "M": lambda v: f"{v // MINUTE % 60:02d}",
    "S": lambda v: f"{v // SECOND % 60:02d}", "f": lambda v: f"{v % SECOND:06d}",
    "a": lambda v: day_name(v)[:3], "A": day_name, "b": lambda v: month_name(v)[:3], "B": month_name,
    "%": lambda v: "%", "w": lambda v: str((v // DAY + 4) % 7), "u": lambda v: str((v // DAY + 3) % 7 + 1),
    "U": lambda v: f"{(day_of_year(v) + 6 - (v // DAY + 4) % 7) // 7:02d}",
    "W": lambda v: f"{(day_of_year(v) + 6 - (v // DAY + 3) % 7) // 7:02d}",
    "V": lambda v: f"{iso_week(v):02d}", "G": lambda v: _year_text(iso_year(v)),
    "g": lambda v: f"{v // 1000 % 1000:03d}",
    "c": lambda v: strftime(v, "%Y-%m-%d %H:%M:%S"), "x": lambda v: strftime(v, "%Y-%m-%d"),
    "X": lambda v: strftime(v, "%H:%M:%S"),
}  # fmt: skip
"""What strftime knows."""
SHORT = {f"-{letter}": letter for letter in "dmyHIMSj"}
"""Those that can do without a zero before them."""


def strftime(value: int, pattern: str) -> str:
    parts = pattern.split("%")
    text, at = parts[0], 1
    while at < len(parts):
        part = parts[at]
        if part:
            bare = part[0] == "-"
            found = LETTERS[part[bare]](value)
            text += (found.lstrip("0") or "0" if bare else found) + part[1 + bare :]
            at += 1
        else:
            text += "%" + (parts[at + 1] if at + 1 < len(parts) else "")
            at += 2
    return text


# zones


def _within(value: int) -> int:
    """The same moment of the calendar in a year that `datetime` knows: long ago stays so, and far ahead too."""
    cycle = CYCLE * DAY
    if value < -cycle * 4:
        return value % cycle - cycle * 4
    return value if value < cycle * 19 else value % cycle + cycle * 18


@lru_cache(maxsize=65536)
def _offset(quarter_hour: int, name: str) -> int:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=quarter_hour * 900)
    return (moment.astimezone(find_zone(name)).utcoffset() or timedelta()) // timedelta(microseconds=1)


def to_local(value: int, name: str) -> int:
    """Zones change their offset on quarter hours only, since 1972."""
    return value + _offset(_within(value) // 900_000_000, name)


def from_local(value: int, name: str) -> int:
    """Of a clock that shows a time twice, or skips it: by the lesser offset, so the later moment, as in DuckDB."""
    clock = datetime(1970, 1, 1, tzinfo=find_zone(name)) + timedelta(microseconds=_within(value))
    offset = min(clock.utcoffset() or timedelta(), clock.replace(fold=1).utcoffset() or timedelta())
    return value - offset // timedelta(microseconds=1)
