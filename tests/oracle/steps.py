"""Statements beside DuckDB while rows come and go, in batches, so that one order of steps serves many statements."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import duckdb

from dataflow.engine.engine import Engine, LiveQuery
from dataflow.sql.errors import SqlError
from dataflow.sql.runtime.numbers import NAN
from dataflow.zset import Row
from tests.oracle.matrix import alike
from tests.oracle.world import DUCK, Duck

Step = tuple[list[Row], list[int]]


class Told(NamedTuple):
    """A statement whose rows differ after a step."""

    sql: str
    step: int
    ours: list[Row]
    duckdb: list[Row] | str


def steps(rows: Sequence[Row], seed: int = 7) -> Iterator[Step]:
    """All rows in batches, most of them taken back, put back, and all of them taken out."""
    choose = random.Random(seed)
    mixed = choose.sample(rows, len(rows))
    for at in range(0, len(mixed), 3):
        yield mixed[at : at + 3], [1] * len(mixed[at : at + 3])
    half, other = mixed[::2], mixed[1::2]
    yield half, [-1] * len(half)
    yield [*half, *other], [1] * len(half) + [-1] * len(other)
    yield half, [-1] * len(half)


def compare(
    duck: Duck,
    columns: Mapping[str, str],
    rows: Sequence[Row],
    statements: Sequence[str],
    engine: Engine | None = None,
    name: str = "t",
    digits: int = 9,
) -> tuple[list[Told], dict[str, str]]:
    """What differs from DuckDB while the relation `name` changes, and what is refused, with the reason. Rows have no
    order. What else an `engine` has, DuckDB has already.
    """
    engine = engine or Engine({name: columns})
    lives: dict[str, LiveQuery] = {}
    refused: dict[str, str] = {}
    for sql in statements:
        try:
            lives[sql] = engine.live(sql)
        except SqlError as error:
            refused[sql] = str(error)
    duck.run(f"CREATE OR REPLACE TABLE {name} ({', '.join(f'{c} {DUCK[k]}' for c, k in columns.items())})")
    kept: Counter[Row] = Counter()
    told: dict[str, Told] = {}
    for number, (changed, weights) in enumerate(steps(rows)):
        engine.push(name, changed, weights)
        for row, weight in zip(changed, weights, strict=True):
            kept[row] += weight
        duck.fill(name, dict(columns), kept.elements())
        for sql, live in lives.items():
            if sql not in told and (found := _differs(duck, sql, live, number, digits)):
                told[sql] = found
    return list(told.values()), refused


def _differs(duck: Duck, sql: str, live: LiveQuery, number: int, digits: int) -> Told | None:
    ours = list(live.rows())
    assert not any(value != value and value is not NAN for row in ours for value in row), f"another NaN: {sql}"  # noqa: PLR0124
    try:
        wanted = duck.ask(sql, [column.type for column in live.columns], 0)
    except duckdb.Error as error:
        return Told(sql, number, ours, str(error).split("\n")[0])
    same = len(ours) == len(wanted) and all(
        all(alike(a, b, digits) for a, b in zip(one, two, strict=True))
        for one, two in zip(sorted(ours, key=_key), sorted(wanted, key=_key), strict=True)
    )
    return None if same else Told(sql, number, ours, wanted)


def _key(row: Row) -> Any:
    return [(value is None, f"{value + 0.0:.6g}" if isinstance(value, float) else str(value)) for value in row]
