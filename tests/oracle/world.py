"""The oracle's world: small relations whose values meet often, kept in the engine and, row by row, in DuckDB.

Floats are multiples of a quarter, so that sums are exact in any order and a group's average may be compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import isclose, isnan
from typing import Any

import duckdb

from dataflow.engine.engine import Engine, LiveQuery
from dataflow.zset import Row, apply_splices
from tests.oracle.beside import Beside, DuckDied
from tests.oracle.duckdb_sql import to_duckdb

MINUTE = 60_000_000
START = 1_360_324_800_000_000  # 2013-02-08 12:00 UTC

EVENTS = {
    "position": "int", "id": "text", "type": "text", "subject": "text", "time": "timestamp", "pending": "bool",
    "n": "int", "m": "int", "x": "float", "y": "float", "s": "text", "t": "text", "b": "bool", "due": "timestamp",
}  # fmt: skip
KINDS = {"a.made": ("n", "x", "s", "due"), "b.made": ("m", "y", "t", "b", "n")}
PLACES = {"code": "text", "name": "text", "rank": "int", "weight": "float"}
STOCK = {"code": "text", "n": "int", "price": "float", "open": "bool", "due": "timestamp"}
VIEWS = {
    "made": 'SELECT position, time, pending, n, x, s, x * 2 AS twice FROM "a.made" WHERE n IS NOT NULL',
    "totals": "SELECT s, count(*) AS n, sum(x) AS x, max(time) AS due FROM events GROUP BY s",
    "recent": "SELECT time, s, n, x, b, position FROM events WHERE time > now() - INTERVAL '10 minutes'",
    "placed": "SELECT e.n, e.x, e.time, e.position, p.name, p.rank FROM events e JOIN places p ON e.s = p.code",
}
DUCK = {
    "text": "VARCHAR", "int": "BIGINT", "float": "DOUBLE", "bool": "BOOLEAN", "timestamp": "TIMESTAMPTZ",
    "interval": "INTERVAL"
}  # fmt: skip
PLACE_ROWS: list[Row] = [
    ("a", "Alpha", 1, 1.5), ("b", "Beta", 2, None), ("b", "Bravo", 3, 0.25), (None, "None", 4, 2.0),
    ("d", None, None, 4.0),
]  # fmt: skip


class Duck:
    """The same relations in DuckDB, whose optimizer is off: 2.0.0 makes starts_with(nullif(s, s), '') true in WHERE."""

    def __init__(self) -> None:
        self.beside = Beside()
        self.prepare()

    def prepare(self) -> None:
        """The empty relations."""
        self.run("SET timezone = 'UTC'")
        self.run("SET error_on_division_by_zero = false")
        self.run("SET threads = 1")
        self.run("PRAGMA disable_optimizer")
        for name, columns in {"events": EVENTS, "places": PLACES, "stock": STOCK}.items():
            self.run(f"CREATE TABLE {name} ({', '.join(f'{c} {DUCK[t]}' for c, t in columns.items())})")
        for kind, own in KINDS.items():
            names = ", ".join((*list(EVENTS)[:6], *own))
            self.run(f"CREATE VIEW \"{kind}\" AS SELECT {names} FROM events WHERE type = '{kind}'")

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """Raises what DuckDB raises; where DuckDB dies, DuckDied, and then its relations are empty again."""
        try:
            return self.beside.run(sql)
        except DuckDied:
            self.prepare()
            raise

    def close(self) -> None:
        self.beside.close()

    def fill(self, name: str, columns: dict[str, str], rows: Iterable[Row]) -> None:
        self.run(f"DELETE FROM {name}")
        values = ", ".join("(" + ", ".join(map(written, row, columns.values())) + ")" for row in rows)
        if values:
            self.run(f"INSERT INTO {name} VALUES {values}")

    def clock(self, now: int) -> None:
        for name, sql in VIEWS.items():
            self.run(f"CREATE OR REPLACE VIEW {name} AS {to_duckdb(sql, now)}")

    def ask(self, sql: str, types: Sequence[str], now: int) -> list[Row]:
        names = [f"c{i}" for i in range(len(types))]
        shown = [f"epoch_us({n})" if t in ("timestamp", "interval") else n for n, t in zip(names, types, strict=True)]
        found = self.run(f"SELECT {', '.join(shown)} FROM ({to_duckdb(sql, now)}) AS q({', '.join(names)})")
        return [
            tuple(float(v) if t == "float" and v is not None else v for v, t in zip(row, types, strict=True))
            for row in found
        ]


def written(value: Any, type: str) -> str:
    """A value as a DuckDB literal."""
    if value is None:
        return "NULL"
    if type == "timestamp":
        return f"make_timestamptz({value})"
    if type == "float":
        return f"'{value!r}'::DOUBLE"
    return (
        repr(value).upper()
        if type == "bool"
        else "'" + value.replace("'", "''") + "'"
        if type == "text"
        else repr(value)
    )


STOPS = (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.InvalidInputException)
"""Where DuckDB stops on a row, a live query goes on with NULL: there is nothing to compare."""


class Watched:
    """A live query beside all that its subscribers were told."""

    def __init__(self, sql: str, live: LiveQuery) -> None:
        self.sql, self.live = sql, live
        self.types = [column.type for column in live.columns]
        self.changed: Counter[Row] = Counter()
        self.spliced: list[Row] = []
        self.ordered = " ORDER BY " in sql.rsplit(")", 1)[-1]
        live.changes.subscribe(self._change)
        live.splices.subscribe(lambda splices: apply_splices(self.spliced, splices))

    def _change(self, batch: list[tuple[Row, int]]) -> None:
        for row, weight in batch:
            assert weight
            self.changed[row] += weight
            if not self.changed[row]:
                del self.changed[row]

    def told(self) -> list[Row]:
        """The rows, of which subscribers were told the same."""
        rows = list(self.live.rows())
        assert self.spliced == rows, "splices"
        assert Counter(rows) == self.changed, "changes"
        return rows

    def check(self, duck: Duck, now: int) -> None:
        rows = self.told()
        try:
            wanted = duck.ask(self.sql, self.types, now)
        except STOPS:
            return
        if not self.ordered:
            rows, wanted = sorted(rows, key=_any_order), sorted(wanted, key=_any_order)
        assert len(rows) == len(wanted), (rows, wanted)
        for row, other in zip(rows, wanted, strict=True):
            assert all(map(same, row, other)), (rows, wanted)


def same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return (isnan(left) and isnan(right)) or isclose(left, right, rel_tol=1e-9, abs_tol=1e-12)
    return type(left) is type(right) and left == right


def _any_order(row: Row) -> list[Any]:
    def rounded(value: Any) -> Any:
        return float(f"{value:.9g}") if isinstance(value, float) and not isnan(value) else 0.0

    return [
        (
            v is None,
            str(type(v)),
            isinstance(v, float) and isnan(v),
            rounded(v) if isinstance(v, float) else v or type(v)(),
        )
        if v is not None
        else (True, "")
        for v in row
    ]


class World:
    """The engine and DuckDB, moved together."""

    def __init__(self, duck: Duck, *, constant: bool = False, sliced: bool = False) -> None:
        """`constant`: joins index the table places, and are built anew from history when it changes. `sliced`: what
        reads history does so in slices, between the steps.
        """
        self.duck = duck
        self.sliced = sliced
        self.now = START
        tables = {"places": (PLACES, PLACE_ROWS)}
        updating = () if constant else ("places",)
        self.engine = Engine({"events": EVENTS, "stock": STOCK}, tables, VIEWS, KINDS, updating=updating, now=START)
        self.rows: dict[str, list[Row]] = {"events": [], "places": list(PLACE_ROWS), "stock": []}
        self.position = 0
        self.provisional = 100_000
        self.watched: list[Watched] = []

    def watch(self, sql: str) -> Watched:
        found = Watched(sql, self.engine.live(sql, self._history, sliced=self.sliced))
        self.watched.append(found)
        return found

    def _history(self) -> list[list[Row]]:
        history = [row for row in self.rows["events"] if not row[5]]
        return [history[i : i + 3] for i in range(0, len(history), 3)]

    def push(self, relation: str, plus: Sequence[Row], minus: Sequence[Row] = ()) -> None:
        for row in minus:
            self.rows[relation].remove(row)
        self.rows[relation] += plus
        self.engine.push(relation, [*minus, *plus], [-1] * len(minus) + [1] * len(plus) if minus else None)

    def advance(self, by: int) -> None:
        self.now += by
        self.engine.advance(self.now)

    def work(self, slices: int) -> bool:
        """Read so much history, at least one slice; False: all is there."""
        return [self.engine.work() for _ in range(slices)][-1]

    def finish(self) -> None:
        while self.engine.work():
            pass
        self.check()

    def check(self) -> None:
        self._fill()
        for watched in self.watched:
            try:
                watched.check(self.duck, self.now)
            except DuckDied:
                self._fill()

    def _fill(self) -> None:
        for name, columns in (("events", EVENTS), ("places", PLACES), ("stock", STOCK)):
            self.duck.fill(name, columns, self.rows[name])
        self.duck.clock(self.now)
