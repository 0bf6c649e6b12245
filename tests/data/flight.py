"""One row of flights.csv as facts with times in UTC.

The data gives local times without dates: departures in New York's time, arrivals in the destination's,
`2400` for midnight, `NA` for what did not happen. The scheduled times are anchored to the row's date, the
actual ones follow from the delays, which are exact minutes: so neither midnight nor a change of the
clocks is ever guessed. Only an arrival without a delay (the flight was diverted and got there in the end)
is found from its local time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tests.data.source import ABSENT, Record

MINUTE = 60
NEW_YORK = ZoneInfo("America/New_York")


class Flight(NamedTuple):
    """Times are seconds since 1970-01-01 UTC, delays and air time minutes; None where the data says NA."""

    leg: str
    flight: str
    carrier: str
    origin: str
    dest: str
    tailnum: str | None
    distance: int
    sched_dep: int
    sched_arr: int
    departed: int | None
    dep_delay: int | None
    arrived: int | None
    arr_delay: int | None
    air_time: int | None

    @property
    def cancelled(self) -> int | None:
        """When it was announced. Not in the data: 45 to 150 minutes ahead, drawn from the leg's name."""
        if self.departed is not None:
            return None
        return self.sched_dep - (45 + digest(self.leg) % 106) * MINUTE

    @property
    def diverted(self) -> int | None:
        """When it was plain that it would not land as planned: when it should have landed, at the latest."""
        if self.departed is None or self.arr_delay is not None:
            return None
        planned = self.departed + self.sched_arr - self.sched_dep
        return planned if self.arrived is None else min(planned, self.arrived)


def digest(text: str) -> int:
    """64 bits that depend on the text alone."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())


def read_flight(row: Record, zones: Mapping[str, ZoneInfo]) -> Flight:
    """Decode a row; `zones` holds the destination's time zone."""
    day = date(int(row["year"]), int(row["month"]), int(row["day"]))
    flight = row["carrier"] + row["flight"]
    sched_dep = _moment(day, row["sched_dep_time"], NEW_YORK)
    sched_arr = _next_moment(sched_dep, day, row["sched_arr_time"], zones[row["dest"]])
    dep_delay, arr_delay = _whole(row["dep_delay"]), _whole(row["arr_delay"])
    departed = None if dep_delay is None else sched_dep + dep_delay * MINUTE
    return Flight(
        leg=f"{flight}-{row['origin']}-{day:%Y%m%d}",
        flight=flight,
        carrier=row["carrier"],
        origin=row["origin"],
        dest=row["dest"],
        tailnum=None if row["tailnum"] == ABSENT else row["tailnum"],
        distance=int(row["distance"]),
        sched_dep=sched_dep,
        sched_arr=sched_arr,
        departed=departed,
        dep_delay=dep_delay,
        arrived=_arrival(row, day, departed, sched_arr, arr_delay, zones[row["dest"]]),
        arr_delay=arr_delay,
        air_time=_whole(row["air_time"]),
    )


def _arrival(
    row: Record, day: date, departed: int | None, sched_arr: int, arr_delay: int | None, zone: ZoneInfo
) -> int | None:
    if arr_delay is not None:
        return sched_arr + arr_delay * MINUTE
    if departed is None or row["arr_time"] == ABSENT:
        return None
    return _next_moment(departed, day, row["arr_time"], zone)


def _next_moment(after: int, day: date, local: str, zone: ZoneInfo) -> int:
    """The first time after a moment that a zone's clock shows `local`. No flight here takes a day."""
    days = (day + timedelta(days=offset) for offset in (-1, 0, 1, 2))
    return min(moment for moment in (_moment(each, local, zone) for each in days) if moment > after)


def _moment(day: date, local: str, zone: ZoneInfo) -> int:
    """`local` is HHMM without leading zeros; 2400 is the midnight that ends the day."""
    hours, minutes = divmod(int(local), 100)
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    return int((start + timedelta(hours=hours, minutes=minutes)).timestamp())


def _whole(text: str) -> int | None:
    return None if text == ABSENT else int(text)
