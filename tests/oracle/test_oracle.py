"""After every step each live result equals DuckDB's answer over the same rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from dataflow.sql.errors import Refused
from dataflow.zset import Row
from tests.oracle.beside import DuckDied
from tests.oracle.grammar import Grower
from tests.oracle.world import MINUTE, START, Duck, World

INTS = [None, 0, 1, 2, 3, -2, 7]
FLOATS = [None, 0.0, 0.5, 1.0, -1.5, 2.25, 100.0]
TEXTS = [None, "a", "b", "B", "", "Bob", "é%", "1.5", "12"]
BOOLS = [None, True, False]
TYPES = ["a.made", "b.made", "other"]
Choose = Callable[[int], int]


def event(choose: Choose, position: int, *, pending: bool) -> Row:
    def one(options: list[Any]) -> Any:
        return options[choose(len(options))]

    time = START + (choose(40) - 20) * MINUTE // 2
    at = START + (choose(20) - 10) * MINUTE if choose(3) else None
    return (
        position, f"id{position}", one(TYPES), one(TEXTS), time, pending,
        one(INTS), one(INTS), one(FLOATS), one(FLOATS),
        one(TEXTS), one(TEXTS), one(BOOLS), at,
    )  # fmt: skip


def stock(choose: Choose) -> Row:
    due = START + (choose(30) - 15) * MINUTE if choose(4) else None
    return TEXTS[choose(len(TEXTS))], INTS[choose(len(INTS))], FLOATS[choose(len(FLOATS))], BOOLS[choose(3)], due


class Play:
    """A history, step by step."""

    def __init__(self, world: World, choose: Choose) -> None:
        self.world, self.choose = world, choose

    def step(self) -> None:
        steps = [
            self.confirmed,
            self.confirmed,
            self.pending,
            self.settle,
            self.clock,
            self.stock,
            self.places,
            self.withdraw,
        ]
        steps[self.choose(len(steps))]()

    def confirmed(self) -> None:
        world = self.world
        rows = [event(self.choose, world.position + 1 + i, pending=False) for i in range(self.choose(6))]
        world.position += len(rows)
        world.push("events", rows)

    def pending(self) -> None:
        self.world.provisional += 1
        self.world.push("events", [event(self.choose, self.world.provisional, pending=True)])

    def settle(self) -> None:
        """A pending event is confirmed, perhaps otherwise than entered, or rejected."""
        world = self.world
        waiting = [row for row in world.rows["events"] if row[5]]
        if not waiting:
            return
        row = waiting[self.choose(len(waiting))]
        if self.choose(3) == 2:
            world.push("events", [], [row])
            return
        world.position += 1
        same = (world.position, *row[1:5], False, *row[6:])
        world.push("events", [same if self.choose(4) else event(self.choose, world.position, pending=False)], [row])

    def withdraw(self) -> None:
        """A confirmed event is taken out of the log."""
        confirmed = [row for row in self.world.rows["events"] if not row[5]]
        if confirmed:
            self.world.push("events", [], [confirmed[self.choose(len(confirmed))]])

    def clock(self) -> None:
        self.world.advance((1 + self.choose(8)) * MINUTE)

    def stock(self) -> None:
        self._change("stock", stock(self.choose))

    def places(self) -> None:
        code, n, weight, *_ = stock(self.choose)
        self._change("places", (code, TEXTS[self.choose(4)], n, weight))

    def _change(self, name: str, row: Row) -> None:
        held = self.world.rows[name]
        if held and self.choose(2):
            self.world.push(name, [row], [held[self.choose(len(held))]])
        else:
            self.world.push(name, [row])


@pytest.fixture(scope="module")
def duck() -> Iterator[Duck]:
    duck = Duck()
    yield duck
    duck.close()
    assert len(duck.beside.died) < 10, f"DuckDB itself died: {duck.beside.died}"


def play(duck: Duck, data: st.DataObject, queries: int, steps: int) -> None:
    def choose(count: int) -> int:
        return data.draw(st.integers(0, count - 1)) if count > 1 else 0

    world, grower = World(duck, constant=choose(2) == 1, sliced=choose(3) == 2), Grower(choose)
    duck.clock(START)
    late = []
    for _ in range(queries):
        sql = grower.query()
        note(sql)
        if choose(4) == 3:
            late.append(sql)
        elif valid(world, sql):
            world.watch(sql)
    game = Play(world, choose)
    world.check()
    for number in range(steps):
        game.step()
        if number == steps // 2:
            for sql in late:
                if valid(world, sql):
                    world.watch(sql)
        slices = choose(3) if world.sliced else 0
        if world.sliced and (not slices or world.work(slices)):
            for watched in world.watched:
                watched.told()
        else:
            world.check()
    world.finish()


def valid(world: World, sql: str) -> bool:
    """Whether the engine takes it; what it takes, DuckDB must take too."""
    try:
        world.engine.check(sql)
    except Refused:
        return False
    return True


def settled(examples: int) -> Any:
    checks = [
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
        HealthCheck.function_scoped_fixture,
    ]
    return settings(
        max_examples=examples, deadline=None, suppress_health_check=checks, derandomize=False, print_blob=True
    )


@settled(100)
@given(st.data())
def test_live_equals_duckdb(duck: Duck, data: st.DataObject) -> None:
    play(duck, data, queries=3, steps=5)


@pytest.mark.long
@pytest.mark.timeout(7200)
@settled(10_000)
@given(st.data())
def test_live_equals_duckdb_at_length(duck: Duck, data: st.DataObject) -> None:
    play(duck, data, queries=4, steps=8)


def test_the_oracle_is_awake(duck: Duck) -> None:
    """A query that DuckDB refuses is not skipped."""
    with pytest.raises(duckdb.Error):
        duck.ask("SELECT nothing FROM events", ["int"], START)


def test_a_question_on_which_duckdb_dies_is_left_out(duck: Duck) -> None:
    world = World(duck)
    watched = world.watch("SELECT n FROM events")
    world.push("events", [event(lambda _: 0, 1, pending=False)])
    world.check()
    duck.beside._process.kill()
    with pytest.raises(DuckDied):
        duck.ask(watched.sql, watched.types, START)
    world.check()
    assert watched.sql in duck.beside.died.pop()
    assert duck.ask("SELECT count(*) FROM events", ["int"], START) == [(1,)]


KEPT_TIMES = [
    "SELECT code, n, due FROM stock WHERE due > now() - INTERVAL '5 minutes'",
    "SELECT code, count(*), sum(price) FROM stock WHERE due <= now() GROUP BY code",
    "SELECT s.n, e.n FROM stock s JOIN events e ON s.code = e.s WHERE s.due >= now() AND e.time <= now()",
    "SELECT n, count(*) FROM events GROUP BY n",
]


def test_rows_of_kept_relations_enter_and_leave_by_the_clock(duck: Duck) -> None:
    """Equal rows are counted, some are taken back before the clock comes to them, and an aggregate over the log, which
    has a way of its own, stands beside them.
    """
    world = World(duck)
    for sql in KEPT_TIMES:
        world.watch(sql)
    due = [START + minutes * MINUTE for minutes in (-6, -5, -4, 0, 1, 2, 2, 9)]
    rows: list[Row] = [("a", at % 3, 0.5 * at, True, time) for at, time in enumerate(due)]
    twice: Row = ("a", 1, 1.0, True, START + 2 * MINUTE)
    world.push("stock", [*rows, twice, twice, twice, ("b", None, None, None, None)])
    world.push("events", [event(lambda count: count // 3, 1, pending=False)])
    world.check()
    for _ in range(8):
        world.advance(MINUTE)
        world.check()
        world.push("stock", [("b", 2, 1.0, None, world.now + MINUTE)], [rows.pop()])
        if twice in world.rows["stock"]:
            world.push("stock", [], [twice])
        world.push("events", [event(lambda count: count // 2, 2 + len(world.rows["events"]), pending=False)])
        world.check()
