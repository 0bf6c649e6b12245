"""Expressions over edge values, held against DuckDB row by row: where DuckDB stops on a row, the wanted value is NULL.

`Sheet(columns, rows)` is one relation in both; `Sheet.differences(expression)` runs the expression in DuckDB and as a
live query and gives what differs as `(row, ours, DuckDB's)`; a refusal is raised as SqlError.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import duckdb

from dataflow.engine.engine import Engine
from dataflow.zset import Row
from tests.oracle.world import DUCK, STOPS, Duck


class Difference(NamedTuple):
    row: Row
    ours: Any
    duckdb: Any


class Sheet:
    """A relation `name` of edge values, numbered by a column `row` before all others."""

    def __init__(self, duck: Duck, columns: Mapping[str, str], rows: Sequence[Row], name: str = "edge") -> None:
        self.duck, self.name = duck, name
        self.columns = {"row": "int", **columns}
        self.rows: list[Row] = [(at, *row) for at, row in enumerate(rows)]
        duck.run(f"CREATE OR REPLACE TABLE {name} ({', '.join(f'{c} {DUCK[t]}' for c, t in self.columns.items())})")
        duck.fill(name, self.columns, self.rows)

    def differences(self, expression: str, *, digits: int = 0) -> list[Difference]:
        """What differs. `digits`: so many significant ones count (0: every bit). Raises SqlError on a refusal."""
        engine = Engine({self.name: self.columns})
        live = engine.live(f"SELECT row, {expression} AS v FROM {self.name}")
        engine.push(self.name, self.rows)
        ours = dict(live.rows())
        assert len(ours) == len(self.rows)
        wanted = self.answers(expression, live.columns[1].type)
        return [
            Difference(row[1:], ours[row[0]], value)
            for row, value in zip(self.rows, wanted, strict=True)
            if not alike(ours[row[0]], value, digits)
        ]

    def answers(self, expression: str, type: str) -> list[Any]:
        """DuckDB's value for every row, NULL where it stops."""
        for asked in (expression, f"TRY({expression})"):
            with suppress(duckdb.Error):
                found = dict(self._ask(asked, type, "TRUE"))
                return [found[row[0]] for row in self.rows]
        return [self._answer(expression, type, row[0]) for row in self.rows]

    def _answer(self, expression: str, type: str, row: int) -> Any:
        try:
            return self._ask(expression, type, f"row = {row}")[0][1]
        except (*STOPS, duckdb.SyntaxException):
            return None

    def _ask(self, expression: str, type: str, where: str) -> list[Row]:
        only = f"(SELECT * FROM {self.name} WHERE {where}) AS {self.name}"
        return self.duck.ask(f"SELECT row, {expression} AS v FROM {only}", ["int", type], 0)


def alike(one: Any, other: Any, digits: int = 0) -> bool:
    """Whether two values are the same; NaN is, and 0.0 is not -0.0 where every bit counts."""
    if isinstance(one, float) and isinstance(other, float):
        if math.isnan(one) or math.isnan(other):
            return math.isnan(one) and math.isnan(other)
        if digits:
            return one == other or math.isclose(one, other, rel_tol=10.0**-digits, abs_tol=10.0**-digits)
        return one == other and math.copysign(1, one) == math.copysign(1, other)
    return type(one) is type(other) and one == other
