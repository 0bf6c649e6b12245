"""How text reads as a condition or a time: TRY_CAST, value by value. What does not read is None.

The forms are DuckDB's: dates with - / \\ or spaces and years of any length, clocks without seconds, offsets and names
of zones. The infinite times are none of ours.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from dataflow.sql.runtime.calendar import DAY, HOUR, MINUTE, SECOND, date_day, days_from, from_local, moment, month_days
from dataflow.sql.runtime.number_texts import SPACES
from dataflow.zones import known_zones

__all__ = ["try_bool", "try_date", "try_local", "try_time"]

BOOLS = {"t": True, "true": True, "1": True, "yes": True, "y": True} | {
    "f": False, "false": False, "0": False, "no": False, "n": False,
}  # fmt: skip


def try_bool(text: str) -> bool | None:
    return BOOLS.get(text.lower())


# times


class Moment(NamedTuple):
    """What a text says: a day, counted from 1970, the microseconds since its start, and the zone after them.
    `spaced`: after the day stand spaces and no clock, which reads as a date alone.
    """

    day: int
    clock: int
    zone: str
    spaced: bool = False


DATE_TEXT = r"(-?)(\d{1,9})([- /\\])(\d{1,2})\3(\d{1,2})(?!\d)( \([bB][cC]\))?"
CLOCK_TEXT = r"\s*0*(\d{1,2}):(?:(\d{1,2})(?::(?:(\d{1,2})(?:\.(\d*))?)?)?)?"
ZONE_TEXT = r"(Z|[+-]\d\d(?::?\d\d(?::?\d\d)?)?| \S+)?"
MOMENT = re.compile(rf"\s*{DATE_TEXT}(?:[T\s]{CLOCK_TEXT}{ZONE_TEXT} *|(\s*))", re.ASCII)


def _moment(text: str) -> Moment | None:
    found = MOMENT.fullmatch(text)
    if not found:
        return Moment(0, 0, "") if text.strip(SPACES).lower() == "epoch" else None
    before, year, _, month, day, christ = found.groups()[:6]
    date = _day(-int(year) if before else int(year), int(month), int(day), christ is not None)
    clock = _clock(*found.groups()[6:10])
    if date is None or clock is None:
        return None
    return Moment(date, clock, found[11] or "", bool(found[12]))


def _day(year: int, month: int, day: int, before: bool) -> int | None:
    year = 1 - year if before else year
    if not (1 <= month <= 12 and 1 <= day <= month_days(year, month)):
        return None
    return date_day(days_from(year, month, day))


def _clock(hour: str | None, minute: str | None, second: str | None, fraction: str | None) -> int | None:
    hours, minutes, seconds = int(hour or 0), int(minute or 0), int(second or 0)
    clock = hours * HOUR + minutes * MINUTE + seconds * SECOND + int((fraction or "").ljust(6, "0")[:6])
    return clock if minutes < 60 and seconds < 60 and (hours < 24 or clock == DAY) else None


def try_local(text: str) -> int | None:
    """A timestamp without time zone: a zone after it counts for nothing."""
    found = _moment(text)
    return None if found is None or found.spaced else moment(found.day * DAY + found.clock)


def try_time(text: str) -> int | None:
    """A timestamp with time zone; UTC where none is told."""
    found = _moment(text)
    if found is None or found.spaced:
        return None
    local = found.day * DAY + found.clock
    if not found.zone.startswith(" "):
        return moment(local - offset(found.zone))
    name = zones().get(found.zone[1:].lower())
    return None if name is None else moment(from_local(local, name))


@cache
def zones() -> dict[str, str]:
    return {name.lower(): name for name in known_zones()}


def offset(text: str) -> int:
    if not text or text == "Z":
        return 0
    digits = text[1:].replace(":", "").ljust(6, "0")
    found = int(digits[:2]) * HOUR + int(digits[2:4]) * MINUTE + int(digits[4:]) * SECOND
    return -found if text[0] == "-" else found


def try_date(text: str) -> int | None:
    found = _moment(text)
    return None if found is None else found.day * DAY


