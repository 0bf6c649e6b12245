"""Rows of the log reach the queries of their event types, by whichever way they are pushed."""

from __future__ import annotations

import pytest

from dataflow.engine.engine import Engine

EVENTS = {"position": "int", "id": "text", "type": "text", "pending": "bool", "n": "int"}
KINDS = {"left": ("n",), "landed": ("n",)}
ROWS = [(at, f"e{at}", kind, False, at) for at, kind in enumerate(["left", "landed", "other", "left"], 1)]
WAITS = (9, "e9", "left", True, 50)


def make() -> tuple[Engine, list]:
    engine = Engine({"events": EVENTS}, kinds=KINDS)
    queries = ['SELECT sum(n) FROM "left"', "SELECT sum(n) FROM landed", "SELECT sum(n) FROM events",
               "SELECT sum(n) FROM events WHERE type IN ('left', 'landed')"]  # fmt: skip
    return engine, [engine.live(sql) for sql in queries]


def sums(lives) -> list:
    return [live.rows()[0][0] for live in lives]


@pytest.mark.parametrize("weights", [None, [1] * 4], ids=["confirmed", "weighed"])
@pytest.mark.parametrize("size", [1, 4])
def test_each_type_has_its_own_and_all_have_all(weights, size):
    engine, lives = make()
    for at in range(0, 4, size):
        engine.push("events", ROWS[at : at + size], weights and weights[:size])
    assert sums(lives) == [5, 2, 10, 7]


def test_pending_rows_come_and_go_by_type():
    engine, lives = make()
    engine.push("events", [*ROWS, WAITS])
    assert sums(lives) == [55, 2, 60, 57]
    engine.push("events", [WAITS, (5, "e9", "landed", False, 50)], [-1, 1])
    assert sums(lives) == [5, 52, 60, 57]
    assert engine.pending == {}
