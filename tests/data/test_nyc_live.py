"""The demo board in the engine is the demo board in DuckDB, all day long.

Two days pass by; at each stop every panel's query and every view, kept up to date by changes alone, must hold
what DuckDB finds when it asks afresh.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.data.duck import Duck, plain
from tests.data.live import Follower, LiveBoard
from tests.data.test_nyc_board import BOARD, EVENTS, HELD

STOPS = (
    "2013-02-07T09:00:00", "2013-02-07T21:15:00", "2013-02-08T08:59:00", "2013-02-08T09:00:00",
    "2013-02-08T11:00:00", "2013-02-08T16:47:30", "2013-02-08T19:30:00",
)  # fmt: skip
LATER = ("2013-02-08T19:35:00", "2013-02-09T04:00:00", "2013-02-09T09:00:00", "2013-02-10T12:00:00")


@pytest.fixture
def duck() -> Iterator[Duck]:
    duck = Duck(BOARD, EVENTS)
    yield duck
    duck.connection.close()


def agree(followers: list[Follower], duck: Duck, stop: str) -> None:
    duck.at(stop)
    for follower in followers:
        found = [tuple(map(plain, row.values())) for row in duck.rows(follower.sql)]
        kept = list(follower.rows)
        assert kept == list(follower.live.rows()), (stop, follower.title, "splices")
        if "ORDER BY" not in follower.sql:
            found, kept = sorted(found, key=repr), sorted(kept, key=repr)
        assert len(kept) == len(found), (stop, follower.title)
        for ours, theirs in zip(kept, found, strict=True):
            assert ours == theirs or ours == pytest.approx(theirs), (stop, follower.title, follower.names)


def enter(live: LiveBoard, duck: Duck) -> None:
    entries: list[tuple[str, str, str, dict[str, str]]] = [
        ("2013-02-08T19:20:00", "flight.held", HELD, {"leg": HELD, "reason": "Crew", "until": "2013-02-08T20:00:00Z"}),
        ("2013-02-08T19:21:00", "gate.assigned", HELD, {"leg": HELD, "gate": "B22"}),
        ("2013-02-08T19:22:00", "incident.opened", "7K2", {"incident": "7K2", "title": "Runway 4/22 closed",
                                                           "place": "LGA", "severity": "high"}),
        ("2013-02-08T19:23:00", "flight.held", "nowhere", {"leg": "nowhere", "reason": "Weather"}),
    ]  # fmt: skip
    for at, (time, type, subject, data) in enumerate(entries):
        live.enter(f"entry-{at}", time, type, subject, **data)
        duck.enter(100_000 + at, time, type, subject, **data)


def answer(live: LiveBoard, duck: Duck) -> None:
    """The log takes three entries and refuses the first, which is retracted."""
    live.refuse("entry-0")
    duck.connection.execute("DELETE FROM every WHERE position = 100000")
    for at in range(1, 4):
        live.confirm(f"entry-{at}", 10_000 + at)
    duck.connection.execute("UPDATE every SET pending = false, position = position - 90000 WHERE position > 100000")


def test_the_board_is_right_all_day(duck: Duck) -> None:
    live = LiveBoard(BOARD, EVENTS)
    followers = live.follow()
    for stop in STOPS:
        live.go(stop)
        agree(followers, duck, stop)
    enter(live, duck)
    agree(followers, duck, STOPS[-1])
    answer(live, duck)
    agree(followers, duck, STOPS[-1])
    for stop in LATER:
        live.go(stop)
        agree(followers, duck, stop)
