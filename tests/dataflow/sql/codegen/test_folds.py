"""Aggregates over the log, where pending rows come and go: what the rows that are there make, after every step."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.engine.engine import Engine
from dataflow.zset import Row

COLUMNS = {"position": "int", "pending": "bool", "s": "text", "n": "int", "x": "float"}
AGGREGATES = "count(*), count(x), sum(n), sum(x), min(x), max(n), latest(n), earliest(n), arg_max(n, x), arg_min(n, x)"
SQL = f"SELECT s, {AGGREGATES} FROM events GROUP BY s"
PENDING = 2**40
VALUES = st.tuples(st.sampled_from(["a", "b"]), st.integers(-2, 2), st.sampled_from([None, -1.5, 0.25, 0.5, 1e16]))
STEPS = st.lists(st.tuples(st.sampled_from(["log", "hold", "drop", "confirm"]), VALUES), max_size=14)


def nearest(values: list[tuple[Any, int]], best: Any) -> int | None:
    """The value at the best key; among equal keys the greatest of arg_max, the least of arg_min."""
    known = [(key, n) for key, n in values if key is not None]
    return best(known)[1] if known else None


def group(rows: list[Row]) -> Row:
    numbers = [n for _, _, _, n, _ in rows]
    floats = [x for *_, x in rows if x is not None]
    places, keyed = [(at, n) for at, _, _, n, _ in rows], [(x, n) for *_, n, x in rows]
    total = float(sum(map(Fraction, floats))) if floats else None
    return (
        rows[0][2], len(rows), len(floats), sum(numbers), total, min(floats, default=None), max(numbers),
        nearest(places, max), nearest(places, min), nearest(keyed, max), nearest(keyed, min),
    )  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_groups_of_the_log(steps: list[tuple[str, tuple[str, int, float | None]]]) -> None:
    engine = Engine({"events": COLUMNS})
    live = engine.live(SQL)
    logged: list[Row] = []
    waiting: list[Row] = []
    for number, (step, values) in enumerate(steps):
        if step == "log":
            logged.append((len(logged) + 1, False, *values))
            engine.push("events", [logged[-1]])
        elif step == "hold":
            waiting.append((PENDING + number, True, *values))
            engine.push("events", [waiting[-1]])
        elif waiting:
            row = waiting.pop(number % len(waiting))
            confirmed = [(len(logged) + 1, False, *row[2:])] if step == "confirm" else []
            logged += confirmed
            engine.push("events", [row, *confirmed], [-1, *[1] * len(confirmed)])
        rows = [*logged, *waiting]
        groups = {name: [row for row in rows if row[2] == name] for name in {row[2] for row in rows}}
        assert Counter(live.rows()) == Counter(map(group, groups.values()))
