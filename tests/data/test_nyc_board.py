"""The demo board says what the day's events say, at six in the morning, in the afternoon and at night.

DuckDB asks the board's own queries afresh; plain Python counts the same things from the events.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dataflow.board import BarPanel, FormPanel, LinePanel, LogPanel, Panel, TablePanel, ValuePanel
from dataflow.boards import file as board_file
from tests.data.duck import Duck

ASSETS = Path(__file__).parents[2] / "assets"
BOARD = ASSETS / "boards" / "nyc.toml"
EVENTS = ASSETS / "demo" / "nyc-2013-02-08.ndjson.gz"

MORNING, AFTERNOON, NIGHT = "2013-02-08T11:00:00", "2013-02-08T19:30:00", "2013-02-09T04:00:00"
HELD = "AA1073-LGA-20130208"    # due at 13:45, gone at 14:34


@pytest.fixture(scope="module")
def duck() -> Iterator[Duck]:
    duck = Duck(BOARD, EVENTS)
    yield duck
    duck.connection.close()


@pytest.fixture
def desk(duck: Duck) -> Iterator[Duck]:
    """A desk with entries, taken back afterwards."""
    duck.connection.begin()
    yield duck
    duck.connection.rollback()


def told(kind: str, until: str) -> list[dict[str, Any]]:
    """Data of today's events of a type, up to a moment."""
    with gzip.open(EVENTS) as file:
        events = [json.loads(line) for line in file]
    found = [event for event in events if event["type"] == kind and event["time"] < until + "Z~"]
    return [event["data"] for event in found if event["data"]["leg"].endswith("0208")]


def panel(duck: Duck, title: str) -> Any:
    return next(panel for panel in duck.board.panels if panel.title.startswith(title))


def rows(duck: Duck, title: str) -> list[dict[str, Any]]:
    return duck.rows(panel(duck, title).sql)


def test_the_file_has_no_problem() -> None:
    loaded = board_file.load(BOARD)
    assert len(loaded.tables["airlines"].rows) == 16


@pytest.mark.parametrize("moment", [MORNING, AFTERNOON, NIGHT])
def test_every_query_runs_and_has_the_columns_of_its_panel(duck: Duck, moment: str) -> None:
    duck.at(moment)
    for panel in duck.board.panels:
        if isinstance(panel, FormPanel):
            continue
        assert panel.sql, panel.title
        if moment == AFTERNOON and panel.title != "Open incidents":
            assert duck.rows(panel.sql), panel.title
        assert columns(panel) <= set(duck.columns(panel.sql)), panel.title
    values = [panel for panel in duck.board.panels if isinstance(panel, ValuePanel)]
    for spark in (panel.spark for panel in values if panel.spark):
        points = duck.rows(spark)
        assert [point["x"] for point in points] == sorted(point["x"] for point in points)
        assert len(points) > 2


def columns(panel: Panel) -> set[str]:
    match panel:
        case ValuePanel():
            return {"value", "caption"}
        case LinePanel():
            return {panel.x, panel.y, panel.series or panel.y}
        case BarPanel():
            return {panel.label, panel.value}
        case TablePanel():
            tones = {spec.tone for spec in panel.columns.values() if spec.tone}
            filled = {column for action in panel.actions for column in action.fields.values()}
            return tones | filled | set(panel.columns)
        case LogPanel():
            return {"time", "title", "detail", "tone", "pending"}
        case _:
            raise AssertionError(f"{panel.title} shows no query")


@pytest.mark.parametrize("moment", [MORNING, AFTERNOON, NIGHT])
def test_numbers_agree_with_the_events(duck: Duck, moment: str) -> None:
    duck.at(moment)
    delays = [data["dep_delay"] for data in told("flight.departed", moment)]
    gone = len(delays)
    assert rows(duck, "Departed")[0]["value"] == gone
    assert rows(duck, "Late")[0]["value"] == pytest.approx(100 * sum(d > 15 for d in delays) / gone)
    assert rows(duck, "Average delay")[0]["value"] == pytest.approx(sum(delays) / gone)
    assert rows(duck, "Cancelled today")[0]["value"] == len(told("flight.cancelled", moment))
    arrived = [row["arrived"] for row in rows(duck, "Today by airport")]
    assert sum(arrived) == len(told("flight.arrived", moment))


def test_the_day_ends_by_itself(duck: Duck) -> None:
    """At four in New York yesterday's flights are gone from every number."""
    duck.at("2013-02-08T08:59:00")
    assert rows(duck, "Departed")[0]["value"] == 928
    duck.at("2013-02-08T09:00:00")
    assert rows(duck, "Departed")[0] == {"value": 0, "caption": "of 0 due by now"}
    assert rows(duck, "Late")[0]["value"] is None
    assert {row["departed"] for row in rows(duck, "Today by airport")} == {0}


def test_departures_table_shows_what_a_desk_acts_on(duck: Duck) -> None:
    duck.at(AFTERNOON)
    now = datetime.fromisoformat(AFTERNOON)
    table = rows(duck, "Departures")
    assert [row["sched_dep"] for row in table] == sorted(row["sched_dep"] for row in table)
    for row in table:
        assert row["sched_dep"] < now + timedelta(hours=1)
        if row["state"] == "Departed":
            assert row["out"] > now - timedelta(minutes=30)
            assert row["out"] == row["sched_dep"] + timedelta(minutes=row["delay"])
        if row["state"] == "Scheduled":
            assert row["sched_dep"] >= now - timedelta(minutes=5)
    assert {row["state"] for row in table} == {"Departed", "Cancelled", "Late", "Scheduled"}
    assert {row["leg"]: row["state"] for row in table}[HELD] == "Late"


def test_an_entry_shows_everywhere_and_pending(desk: Duck) -> None:
    desk.at(AFTERNOON)
    hold = {"leg": HELD, "reason": "Crew", "until": "2013-02-08T20:00"}
    desk.enter(10001, "2013-02-08T19:20:00", "flight.held", HELD, **hold)
    desk.enter(10002, "2013-02-08T19:21:00", "gate.assigned", HELD, leg=HELD, gate="B22")
    row = next(row for row in rows(desk, "Departures") if row["leg"] == HELD)
    assert (row["state"], row["gate"], row["pending"]) == ("Held · Crew", "B22", True)
    assert row["out"] == datetime.fromisoformat("2013-02-08T20:00")
    assert rows(desk, "Held")[0] == {"value": 1, "caption": "last AA1073, Crew", "pending": True}
    held = {row["origin"]: (row["held"], row["pending"]) for row in rows(desk, "Today by airport")}
    assert held == {"EWR": (0, False), "JFK": (0, False), "LGA": (1, True)}
    newest = [row["title"] for row in rows(desk, "What happened")[:2]]
    assert newest == ["Gate B22 for AA1073", "Held AA1073"]
    desk.enter(10003, "2013-02-08T19:22:00", "flight.released", HELD, leg=HELD)
    assert rows(desk, "Held")[0]["value"] == 0
    assert next(row for row in rows(desk, "Departures") if row["leg"] == HELD)["state"] == "Late"


def test_incidents_open_and_close(desk: Duck) -> None:
    desk.at(AFTERNOON)
    facts = {"incident": "7K2", "title": "Runway 4/22 closed", "place": "LGA", "severity": "high"}
    desk.enter(10001, "2013-02-08T16:20:00", "incident.opened", "7K2", **facts)
    (row,) = rows(desk, "Open incidents")
    assert (row["title"], row["tone"], row["pending"]) == ("Runway 4/22 closed", "critical", True)
    desk.enter(10002, "2013-02-08T19:20:00", "incident.closed", "7K2", incident="7K2")
    assert rows(desk, "Open incidents") == []


def test_panels_tile_the_grid(duck: Duck) -> None:
    """No two panels share a cell, and no cell is left empty."""
    cells = [
        (row, column)
        for panel in duck.board.panels
        for row in range(panel.at[0], panel.at[0] + panel.at[2])
        for column in range(panel.at[1], panel.at[1] + panel.at[3])
    ]
    assert len(cells) == len(set(cells)) == 20 * 30
    assert max(cells) == (19, 29)
