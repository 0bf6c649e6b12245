"""Times: integer microseconds since 1970-01-01 UTC, to and from RFC 3339 text, `datetime` and the board's
local time.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from storage.times import CYCLE_US, DAY_US, EARLIEST, LATEST, in_cycle, iso, year_text

__all__ = ["iso", "local_day", "local_text", "micros", "moment", "parse"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  arithmetic without zones is several times faster
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?\Z")
_ADJACENT = timedelta(hours=18)
_PLAIN_FROM, _PLAIN_UNTIL = EARLIEST + 1000 * 366 * DAY_US, LATEST - 2 * DAY_US
"""Where `datetime` has the local time, and its strftime writes years alike on every system."""
_ZONED_FROM, _ZONED_UNTIL = EARLIEST + 2 * DAY_US, LATEST - 2 * DAY_US
_DIRECTIVE = re.compile(r"%([-_0^#:]?)(.)", re.DOTALL)
_ORDINAL_OF_EPOCH = 719_163
_WITH_YEARS = {"F": "%Y-%m-%d", "c": "%a %b %e %H:%M:%S %Y", "x": "%m/%d/%y"}


def micros(moment: datetime) -> int:
    """Exact, without floats. A naive moment is UTC."""
    since = moment - (_NAIVE_EPOCH if moment.tzinfo is None else EPOCH)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def moment(us: int, zone: tzinfo = UTC) -> datetime:
    """Raises OverflowError outside of the years 1 to 9999."""
    return (EPOCH + timedelta(microseconds=us)).astimezone(zone)


def local_day(us: int, zone: tzinfo) -> int:
    """The date's ordinal number in the zone (0001-01-01 has 1), for every time of 64 bits."""
    return (us + _offset(us, zone)) // DAY_US + _ORDINAL_OF_EPOCH


def local_text(us: int, zone: tzinfo, pattern: str) -> str:
    """The local time by a pattern of strftime's, for every time of 64 bits; a year has four digits or more.

    Raises OverflowError for what 64 bits do not hold.
    """
    if _PLAIN_FROM <= us <= _PLAIN_UNTIL:
        return moment(us, zone).strftime(pattern)
    if not -(2**63) <= us < 2**63:
        raise OverflowError(us)
    offset = _offset(us, zone)
    stand_in, years = in_cycle(us + offset)

    def replaced(directive: re.Match[str]) -> str:
        match directive[2]:
            case "Y":
                return year_text(stand_in.year + years)
            case "G":
                return year_text(stand_in.isocalendar().year + years)
            case "C":
                return f"{(stand_in.year + years) // 100:02d}"
            case "s":
                return str(us // 1_000_000)
            case "z":
                return _offset_text(offset, directive[1] == ":")
            case "Z":
                return _near(us).astimezone(zone).tzname() or ""
        return directive[0]

    expanded = _DIRECTIVE.sub(lambda found: _WITH_YEARS.get(found[2], found[0]), pattern)
    return stand_in.strftime(_DIRECTIVE.sub(replaced, expanded))


def parse(text: str, zone: tzinfo = UTC, now: int | None = None) -> int:
    """ISO 8601 (without an offset it is the zone's local time), or, where `now` is given, a time of day or
    "now".

    A time of day means today, unless the day before or after is meant by all appearances: near midnight
    "00:10" may be tomorrow's and "23:50" yesterday's, so a moment more than 18 hours from now moves by a day.
    Raises ValueError, also for a moment outside of the years 1 to 9999 in UTC.
    """
    text = text.strip()
    if now is not None and (clock := _CLOCK.match(text)):
        hour, minute, second = (int(part or 0) for part in clock.groups())
        return _nearby(time(hour, minute, second), zone, now)
    if now is not None and text.lower() == "now":
        return now
    told = datetime.fromisoformat(text)
    return in_range(micros(told if told.tzinfo else told.replace(tzinfo=zone)))


def in_range(us: int) -> int:
    """The time, if RFC 3339 can write it. Raises ValueError."""
    if not EARLIEST <= us <= LATEST:
        raise ValueError("outside of the years 1 to 9999 in UTC")
    return us


def _nearby(clock: time, zone: tzinfo, now: int) -> int:
    here = moment(now, zone)
    meant = _at(here.date(), clock, zone)
    if meant - here > _ADJACENT:
        meant = _at(here.date() - timedelta(days=1), clock, zone)
    elif here - meant > _ADJACENT:
        meant = _at(here.date() + timedelta(days=1), clock, zone)
    return micros(meant)


def _at(day: date, clock: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)


def _offset(us: int, zone: tzinfo) -> int:
    """What the zone's clocks show more than UTC, in µs."""
    return (_near(us).astimezone(zone).utcoffset() or timedelta()) // timedelta(microseconds=1)


def _near(us: int) -> datetime:
    """The time, or the same moment of the calendar in a year that `datetime` knows: long ago stays long ago."""
    if us < _ZONED_FROM:
        us = _ZONED_FROM + (us - _ZONED_FROM) % CYCLE_US
    elif us > _ZONED_UNTIL:
        us = _ZONED_UNTIL - CYCLE_US + (us - _ZONED_UNTIL) % CYCLE_US
    return EPOCH + timedelta(microseconds=us)


def _offset_text(offset: int, colon: bool) -> str:
    seconds = abs(offset) // 1_000_000
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    parts = [f"{hours:02d}", f"{minutes:02d}", *([f"{rest:02d}"] if rest else [])]
    return ("-" if offset < 0 else "+") + (":" if colon else "").join(parts)
