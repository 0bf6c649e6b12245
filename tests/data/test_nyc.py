"""The demo's data is what the builder makes, and the builder's times are right."""

from __future__ import annotations

import gzip
import json
import uuid
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.data import nyc, year
from tests.data.flight import MINUTE, Flight, read_flight
from tests.data.source import Record

DEMO = Path(__file__).parents[2] / "assets" / "demo"

ROW: Record = {
    "year": "2013", "month": "2", "day": "8", "dep_time": "517", "sched_dep_time": "515", "dep_delay": "2",
    "arr_time": "830", "sched_arr_time": "819", "arr_delay": "11", "carrier": "UA", "flight": "1545",
    "tailnum": "N14228", "origin": "EWR", "dest": "IAH", "air_time": "227", "distance": "1400",
}  # fmt: skip


@pytest.fixture(scope="module")
def package() -> nyc.Nyc:
    return nyc.Nyc()


@pytest.fixture(scope="module")
def events(package: nyc.Nyc) -> list[dict[str, Any]]:
    return [json.loads(line) for line in package.lines(nyc.DAYS)]


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def flight(zone: str = "America/Chicago", **changes: str) -> Flight:
    row = ROW | changes
    return read_flight(row, {row["dest"]: ZoneInfo(zone)})


def test_shipped_files_are_what_the_builder_makes(package: nyc.Nyc) -> None:
    built = b"".join(package.lines(nyc.DAYS))
    assert gzip.decompress((DEMO / nyc.NAME).read_bytes()) == built
    assert (DEMO / "airlines.csv").read_bytes() == nyc.csv_text(package.airlines).encode()
    assert (DEMO / "airports.csv").read_bytes() == nyc.csv_text(package.airports).encode()
    count = len(built.splitlines())
    assert f"{count:,} events" in (DEMO / "README.md").read_text("utf-8")


def test_compressed_bytes_repeat(tmp_path: Path) -> None:
    for name in ("a.ndjson.gz", "b.ndjson.gz"):
        with nyc.ndjson(tmp_path / name, 9) as file:
            file.write(b"{}\n" * 100)
    assert (tmp_path / "a.ndjson.gz").read_bytes() == (tmp_path / "b.ndjson.gz").read_bytes()


def test_known_flights() -> None:
    houston = flight()
    assert (houston.departed, houston.arrived) == (utc("2013-02-08T10:17"), utc("2013-02-08T14:30"))
    night = {"dest": "SJU", "sched_dep_time": "2359", "dep_time": "13", "dep_delay": "14"}
    sanjuan = flight("America/Puerto_Rico", **night, sched_arr_time="437", arr_time="440", arr_delay="3")
    assert (sanjuan.sched_dep, sanjuan.departed) == (utc("2013-02-09T04:59"), utc("2013-02-09T05:13"))
    assert (sanjuan.sched_arr, sanjuan.arrived) == (utc("2013-02-09T08:37"), utc("2013-02-09T08:40"))
    island = {"dest": "HNL", "sched_dep_time": "1000", "dep_time": "2400", "dep_delay": "840"}
    honolulu = flight("Pacific/Honolulu", **island, sched_arr_time="1545", arr_time="600", arr_delay="855")
    assert (honolulu.departed, honolulu.arrived) == (utc("2013-02-09T05:00"), utc("2013-02-09T16:00"))


def test_summer_time() -> None:
    """On 10 March the clocks went from 2:00 to 3:00 in New York; in Phoenix and San Juan they never do."""
    late = {"month": "3", "day": "9", "sched_dep_time": "2359", "dep_time": "2359", "dep_delay": "0"}
    night = flight("America/Puerto_Rico", **late, sched_arr_time="440", arr_time="440", arr_delay="0")
    assert (night.departed, night.arrived) == (utc("2013-03-10T04:59"), utc("2013-03-10T08:40"))
    desert = flight("America/Phoenix", month="7", dest="PHX", sched_arr_time="727", arr_time="738")
    assert (desert.departed, desert.arrived) == (utc("2013-07-08T09:17"), utc("2013-07-08T14:38"))


def test_what_did_not_happen_is_absent() -> None:
    never = {"dep_time": "NA", "dep_delay": "NA", "arr_time": "NA", "arr_delay": "NA", "air_time": "NA"}
    cancelled = flight(**never, tailnum="NA")
    assert [cancelled.departed, cancelled.arrived, cancelled.diverted, cancelled.tailnum] == [None] * 4
    assert cancelled.cancelled is not None
    assert 45 * MINUTE <= cancelled.sched_dep - cancelled.cancelled <= 150 * MINUTE
    lost = flight(arr_time="NA", arr_delay="NA", air_time="NA")
    assert (lost.diverted, lost.arrived, lost.cancelled) == (utc("2013-02-08T14:21"), None, None)
    late = flight(arr_time="1902", arr_delay="NA", air_time="NA")
    assert (late.diverted, late.arrived) == (utc("2013-02-08T14:21"), utc("2013-02-09T01:02"))


def test_local_times_and_durations_of_both_days(package: nyc.Nyc) -> None:
    """Each time shows the data's local time; gate to gate is air time and a plausible time on the ground."""
    zones = {row["faa"]: ZoneInfo(row["tzone"]) for row in package.airports}
    for day in nyc.DAYS:
        for row, leg in zip(package.flights.day(day), package.legs(day), strict=True):
            for moment, zone, local in (
                (leg.sched_dep, zones[leg.origin], row["sched_dep_time"]),
                (leg.sched_arr, zones[leg.dest], row["sched_arr_time"]),
                (leg.departed, zones[leg.origin], row["dep_time"]),
                (leg.arrived, zones[leg.dest], row["arr_time"]),
            ):
                shown = "NA" if moment is None else datetime.fromtimestamp(moment, zone).strftime("%H%M")
                assert shown == (local if local == "NA" else local.zfill(4).replace("2400", "0000"))
            if leg.departed and leg.arrived and leg.air_time:
                assert 8 <= (leg.arrived - leg.departed) / 60 - leg.air_time <= 150, row


def test_every_flight_is_told_once(events: list[dict[str, Any]]) -> None:
    told = Counter((event["type"], event["subject"]) for event in events if "leg" in event["data"])
    assert set(told.values()) == {1}
    ends = [subject for kind, subject in told if kind in ("flight.cancelled", "flight.departed")]
    assert sorted(ends) == sorted(subject for kind, subject in told if kind == "flight.scheduled")
    assert Counter(kind for kind, _ in told) == {
        "flight.scheduled": 1862, "flight.departed": 1386, "flight.arrived": 1383, "flight.cancelled": 476,
        "flight.diverted": 6,
    }  # fmt: skip


def test_events_are_ordered_and_well_formed(events: list[dict[str, Any]]) -> None:
    keys = [(event["time"], event["id"]) for event in events]
    assert keys == sorted(keys)
    assert len({event["id"] for event in events}) == len(events)
    for event in events:
        key = uuid.UUID(event["id"])
        assert (key.version, key.variant) == (7, uuid.RFC_4122)
        assert key.int >> 80 == utc(event["time"].removesuffix("Z")) * 1000
        assert event["subject"] == event["data"].get("leg", event["data"]["origin"])
        assert None not in event["data"].values()


def test_delays_agree_with_the_schedule(events: list[dict[str, Any]]) -> None:
    for event in events:
        data, moment = event["data"], utc(event["time"].removesuffix("Z"))
        for scheduled, delay in (("sched_dep", "dep_delay"), ("sched_arr", "arr_delay")):
            if delay in data:
                assert moment - utc(data[scheduled].removesuffix("Z")) == data[delay] * MINUTE


def test_days_stream_in_order(package: nyc.Nyc) -> None:
    """What is held back for later days changes nothing; the night of the summer time is no exception."""
    days = [date(2013, 3, day) for day in (9, 10, 11)]
    lines = list(package.lines(days))
    assert sorted(lines) == sorted(line for day in days for line in package.lines([day]))
    keys = [(event["time"], event["id"]) for event in map(json.loads, lines)]
    assert keys == sorted(keys)


def test_the_package_knows_every_airport(package: nyc.Nyc) -> None:
    assert len(package.airports) == 107
    assert {row["tzone"] for row in package.airports if row["faa"] in ("BQN", "PSE", "SJU", "STT")} == {
        "America/Puerto_Rico"
    }


@pytest.mark.long
def test_the_year(tmp_path: Path) -> None:
    path = year.year_file(packed=True, folder=tmp_path)
    with gzip.open(path) as file:
        keys = [(event["time"], event["id"]) for event in map(json.loads, file)]
    assert keys == sorted(keys)
    assert len({key for _, key in keys}) == len(keys) == 1_028_905
    assert year.year_file(packed=True, folder=tmp_path) == path
