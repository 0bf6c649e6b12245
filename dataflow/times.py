"""Times: integer microseconds since 1970-01-01 UTC, to and from RFC 3339 text, `datetime` and the board's
local time.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  arithmetic without zones is several times faster
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?\Z")
_ADJACENT = timedelta(hours=18)


def micros(moment: datetime) -> int:
    """Exact, without floats. A naive moment is UTC."""
    since = moment - (_NAIVE_EPOCH if moment.tzinfo is None else EPOCH)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def moment(us: int, zone: tzinfo = UTC) -> datetime:
    """Raises OverflowError outside of the years 1 to 9999."""
    return (EPOCH + timedelta(microseconds=us)).astimezone(zone)


def iso(us: int) -> str:
    """RFC 3339 in UTC, with a fraction only where there is one: `2013-02-08T14:30:00Z`."""
    return (_NAIVE_EPOCH + timedelta(microseconds=us)).isoformat() + "Z"


def parse(text: str, zone: tzinfo = UTC, now: int | None = None) -> int:
    """ISO 8601 (without an offset it is the zone's local time), or, where `now` is given, a time of day or
    "now".

    A time of day means today, unless the day before or after is meant by all appearances: near midnight
    "00:10" may be tomorrow's and "23:50" yesterday's, so a moment more than 18 hours from now moves by a day.
    Raises ValueError.
    """
    text = text.strip()
    if now is not None and (clock := _CLOCK.match(text)):
        hour, minute, second = (int(part or 0) for part in clock.groups())
        return _nearby(time(hour, minute, second), zone, now)
    if now is not None and text.lower() == "now":
        return now
    told = datetime.fromisoformat(text)
    return micros(told if told.tzinfo else told.replace(tzinfo=zone))


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
