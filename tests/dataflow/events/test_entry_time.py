"""Own entries and temporal filters: the views' clock stands, the entry is in, and nothing else is turned by it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.engine.engine import Engine
from dataflow.events.entry_time import EntryTime, bring_times

MINUTE = 60_000_000
HEARD, MADE = 100 * MINUTE, 130 * MINUTE
COLUMNS = {"position": "int", "leg": "text", "time": "timestamp", "due": "timestamp", "pending": "bool"}
TIMES = (2, 3)


def engine():
    made = Engine({"events": COLUMNS})
    made.advance(HEARD)
    return made


def entry(position, leg, time=MADE, due=None):
    """The row of an own entry, made at MADE."""
    return bring_times((position, leg, time, due, True), TIMES, MADE)


def confirmed(position, leg, time, due=None):
    return position, leg, time, due, False


NOW_OR_BEFORE = [
    "SELECT leg, time FROM events WHERE time <= now()",
    "SELECT leg, time FROM events WHERE time BETWEEN now() - INTERVAL '1 hour' AND now()",
    "SELECT leg, time_bucket(INTERVAL '10 minutes', time) AS time FROM events "
    "WHERE time_bucket(INTERVAL '10 minutes', time) <= now()",
    "SELECT leg, date_trunc('minute', time) AS time FROM events WHERE date_trunc('minute', time) < now()",
    "SELECT leg, time - INTERVAL '1 minute' FROM events WHERE time - INTERVAL '1 minute' < now()",
    "SELECT leg, time FROM (SELECT leg, max(time) AS time FROM events GROUP BY leg) AS last WHERE time <= now()",
    "SELECT leg, time FROM (SELECT leg, latest(time) AS time FROM events GROUP BY leg) AS last WHERE time <= now()",
]


@pytest.mark.parametrize("sql", NOW_OR_BEFORE)
def test_an_own_entry_is_in_a_panel_whose_clock_stands_before_it(sql):
    desk = engine()
    live = desk.live(sql)
    desk.push("events", [confirmed(1, "A", HEARD - MINUTE), confirmed(2, "later", HEARD + 15 * MINUTE)])
    assert [row[0] for row in live.rows()] == ["A"]
    desk.push("events", [entry(1 << 60, "own")])
    assert sorted(row[0] for row in live.rows()) == ["A", "own"]
    desk.push("events", [entry(1 << 60, "own")], [-1])
    assert [row[0] for row in live.rows()] == ["A"]


@pytest.mark.parametrize("sql", NOW_OR_BEFORE)
def test_when_the_clock_comes_to_it_it_stays_and_when_it_is_confirmed_nothing_flickers(sql):
    desk = engine()
    live, seen = desk.live(sql), []
    waiting = entry(1 << 60, "own")
    desk.push("events", [waiting])
    live.changes.subscribe(lambda _: seen.append([row[0] for row in live.rows()]))
    back = bring_times(confirmed(1, "own", MADE), TIMES, MADE)
    desk.push("events", [waiting, back], [-1, 1])
    desk.advance(MADE + MINUTE)
    assert all(rows == ["own"] for rows in seen)
    assert [row[0] for row in live.rows()] == ["own"]
    desk.push("events", [confirmed(1, "own", MADE)], [-1]) if "max" not in sql and "latest" not in sql else None


LATE = [
    # the flight's own row, changed by the entry
    "SELECT leg FROM (SELECT leg, max(due) AS due, bool_or(pending) AS pending FROM events GROUP BY leg) AS flights "
    "WHERE due < now() - INTERVAL '5 minutes'",
    # the time of another row, which the entry is joined to
    "SELECT a.leg FROM events AS a JOIN events AS b ON a.leg = b.leg "
    "WHERE a.due < now() - INTERVAL '5 minutes' AND b.pending",
]


@pytest.mark.parametrize("sql", LATE)
def test_an_own_entry_turns_nothing_late(sql):
    desk = engine()
    early = desk.live(sql)
    desk.push("events", [confirmed(1, "UA1", HEARD - 50 * MINUTE, due=HEARD + MINUTE)])
    desk.push("events", [entry(1 << 60, "UA1")])
    late = desk.live(sql, lambda: [[confirmed(1, "UA1", HEARD - 50 * MINUTE, due=HEARD + MINUTE)]])
    assert list(early.rows()) == list(late.rows()) == []
    desk.advance(HEARD + 7 * MINUTE)
    assert list(early.rows()) == list(late.rows()) == [("UA1",)]


@pytest.mark.parametrize("sql", NOW_OR_BEFORE)
def test_a_late_query_shows_what_an_early_one_shows(sql):
    desk = engine()
    early = desk.live(sql)
    history = [confirmed(1, "A", HEARD - MINUTE), confirmed(2, "later", HEARD + 15 * MINUTE)]
    desk.push("events", history)
    desk.push("events", [entry(1 << 60, "own")])
    late = desk.live(sql + " ORDER BY leg", lambda: [history])
    assert sorted(early.rows()) == list(late.rows())
    assert len(late.rows()) == 2


def test_what_the_entry_says_of_the_future_waits_for_the_clock():
    """Until 15:10: when it is made, that has not passed."""
    desk = engine()
    live = desk.live("SELECT leg FROM events WHERE due <= now()")
    quarter = desk.live("SELECT leg FROM events WHERE time + INTERVAL '15 minutes' <= now()")
    desk.push("events", [entry(1 << 60, "own", due=MADE + MINUTE)])
    assert list(live.rows()) == list(quarter.rows()) == []
    desk.advance(MADE + 15 * MINUTE)
    assert list(live.rows()) == list(quarter.rows()) == [("own",)]


def test_two_equal_rows_one_of_them_own_come_and_go_one_by_one():
    desk = engine()
    live = desk.live("SELECT leg, time FROM events WHERE time <= now()")
    desk.push("events", [confirmed(1, "x", MADE)])
    desk.push("events", [entry(1 << 60, "x")])
    assert len(live.rows()) == 1
    desk.push("events", [entry(1 << 60, "x")], [-1])
    assert len(live.rows()) == 0
    desk.advance(MADE)
    assert len(live.rows()) == 1


@given(st.integers(-(2**62), 2**62), st.integers(1, 10**12))
def test_it_is_the_integer_that_it_is(value, other):
    time = EntryTime(value, MADE)
    assert (time, hash(time), repr(time)) == (value, hash(value), repr(value))
    for result, plain in (
        (time + other, value + other), (other + time, other + value), (time - other, value - other),
        (time // other * other, value // other * other), (time - time % other, value - value % other),
    ):  # fmt: skip
        assert (result, result.made) == (plain, MADE)
    assert isinstance(time + 0.5, float)
