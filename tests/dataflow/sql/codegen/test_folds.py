"""Aggregates over the log, where pending rows come and go: what the rows that are there make, after every step."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.engine.engine import Engine
from dataflow.zset import Row

COLUMNS = {"position": "int", "pending": "bool", "s": "text", "n": "int", "x": "float", "time": "timestamp"}
AGGREGATES = "count(*), count(x), sum(n), sum(x), min(x), max(n), latest(n), earliest(n), arg_max(n, x), arg_min(n, x)"
SQL = f"SELECT s, {AGGREGATES} FROM events GROUP BY s"
RECENT = "SELECT s, count(*), sum(n), max(n) FROM events WHERE time > now() - INTERVAL '1 minute' GROUP BY s"
PENDING, SECOND = 2**40, 1_000_000
FLOATS, TIMES = st.sampled_from([None, -1.5, 0.25, 0.5, 1e16]), st.sampled_from([-90, -60, -59, -20, 0, 1, 30])
VALUES = st.tuples(st.sampled_from(["a", "b"]), st.integers(-2, 2), FLOATS, TIMES)
STEPS = st.lists(st.tuples(st.sampled_from(["log", "log", "hold", "drop", "confirm", "tick"]), VALUES), max_size=16)


def nearest(values: list[tuple[Any, int]], best: Any) -> int | None:
    """The value at the best key; among equal keys the greatest of arg_max, the least of arg_min."""
    known = [(key, n) for key, n in values if key is not None]
    return best(known)[1] if known else None


def group(rows: list[Row]) -> Row:
    numbers = [row[3] for row in rows]
    floats = [row[4] for row in rows if row[4] is not None]
    places, keyed = [(row[0], row[3]) for row in rows], [(row[4], row[3]) for row in rows]
    total = float(sum(map(Fraction, floats))) if floats else None
    return (
        rows[0][2], len(rows), len(floats), sum(numbers), total, min(floats, default=None), max(numbers),
        nearest(places, max), nearest(places, min), nearest(keyed, max), nearest(keyed, min),
    )  # fmt: skip


def recent(rows: list[Row]) -> Row:
    numbers = [row[3] for row in rows]
    return rows[0][2], len(rows), sum(numbers), max(numbers)


def by_text(rows: list[Row]) -> list[list[Row]]:
    return [[row for row in rows if row[2] == name] for name in sorted({row[2] for row in rows})]


class Log:
    """Rows of the log and pending ones, in the engine and here."""

    def __init__(self) -> None:
        self.engine = Engine({"events": COLUMNS})
        self.logged: list[Row] = []
        self.waiting: list[Row] = []
        self.now = 10**15
        self.engine.advance(self.now)

    def step(self, number: int, step: str, values: tuple[str, int, float | None, int]) -> None:
        made = (*values[:3], self.now + values[3] * SECOND)
        if step == "tick":
            self.now += abs(values[3]) * SECOND // 3
            self.engine.advance(self.now)
        elif step == "log":
            self.logged.append((len(self.logged) + 1, False, *made))
            self.engine.push("events", [self.logged[-1]])
        elif step == "hold":
            self.waiting.append((PENDING + number, True, *made))
            self.engine.push("events", [self.waiting[-1]])
        elif self.waiting:
            row = self.waiting.pop(number % len(self.waiting))
            confirmed = [(len(self.logged) + 1, False, *row[2:])] if step == "confirm" else []
            self.logged += confirmed
            self.engine.push("events", [row, *confirmed], [-1, *[1] * len(confirmed)])


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_groups_of_the_log(steps: list[tuple[str, tuple[str, int, float | None, int]]]) -> None:
    log = Log()
    whole, late = log.engine.live(SQL), log.engine.live(RECENT)
    for number, (step, values) in enumerate(steps):
        log.step(number, step, values)
        rows = [*log.logged, *log.waiting]
        assert Counter(whole.rows()) == Counter(map(group, by_text(rows)))
        fresh = [row for row in rows if row[5] > log.now - 60 * SECOND]
        assert Counter(late.rows()) == Counter(map(recent, by_text(fresh)))
