"""A time as text, for every time that 64 bits hold: microseconds since 1970-01-01 UTC, years −290308 to 294247.

The calendar is the proleptic Gregorian one (ISO 8601), with a year 0 before the year 1. It repeats after 400 years,
weekdays and all, so what is beyond the years of `datetime` is read in another such cycle.
"""

from __future__ import annotations

from datetime import datetime, timedelta

DAY_US = 86_400_000_000
YEARS = 400
CYCLE_US = 146_097 * DAY_US
EARLIEST, LATEST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""The first and the last microsecond of the years 1 to 9999."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  arithmetic without zones is several times faster
_MILLENNIUM = datetime(2000, 1, 1)  # noqa: DTZ001
_MILLENNIUM_US = 946_684_800_000_000


def iso(us: int) -> str:
    """RFC 3339 in UTC, with a fraction only where there is one: `2013-02-08T14:30:00Z`.

    Beyond the years 0 to 9999 the year has a sign, as ISO 8601 expands it: `+10000-01-01T00:00:00Z`.
    """
    if EARLIEST <= us <= LATEST:
        return (_EPOCH + timedelta(microseconds=us)).isoformat() + "Z"
    stand_in, years = in_cycle(us)
    return f"{year_text(stand_in.year + years)}{stand_in.isoformat()[4:]}Z"


def in_cycle(us: int) -> tuple[datetime, int]:
    """The same moment of the calendar in the years 2000 to 2399, and how many years that is away."""
    cycles, rest = divmod(us - _MILLENNIUM_US, CYCLE_US)
    return _MILLENNIUM + timedelta(microseconds=rest), cycles * YEARS


def year_text(year: int) -> str:
    """Four digits; beyond them with a sign."""
    return f"{year:04d}" if 0 <= year <= 9999 else f"{year:+05d}"
