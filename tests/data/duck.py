"""A board in DuckDB: its events, tables and views, and its queries asked afresh at any moment.

Board SQL is DuckDB's except for `latest(x)` and `earliest(x)`, which are written out here, and `now()`,
which is the moment that the caller names.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import sqlglot
from sqlglot import exp

from dataflow.board import ENVELOPE, Board
from dataflow.times import micros

TYPES = {
    "text": "VARCHAR", "int": "BIGINT", "float": "DOUBLE", "bool": "BOOLEAN", "timestamp": "TIMESTAMP",
    "json": "JSON",
}  # fmt: skip

SUGAR = {"LATEST": exp.ArgMax, "EARLIEST": exp.ArgMin}


class Duck:
    """One board over one NDJSON file of CloudEvents."""

    def __init__(self, board: Path, events: Path) -> None:
        self.board = msgspec.toml.decode(board.read_bytes(), type=Board)
        self.connection = duckdb.connect()
        self.connection.execute("SET timezone = 'UTC'")
        self._events(events)
        for name, table in self.board.tables.items():
            self.connection.read_csv(str(board.parent / table.csv)).create(name)
        self.at("2013-02-08T00:00:00")
        for name, view in self.board.views.items():
            self.connection.execute(f'CREATE VIEW "{name}" AS {written_out(view.sql)}')

    def at(self, moment: str) -> Duck:
        """Move the clock: `now()` is this moment (ISO 8601, UTC)."""
        self.connection.execute(f"CREATE OR REPLACE MACRO now() AS TIMESTAMP '{moment}'")
        return self

    def enter(self, position: int, time: str, type: str, subject: str, **fields: Any) -> None:
        """Append an event as if an operator had entered it; it is pending."""
        row = {"position": position, "id": str(position), "source": "/desk", "type": type, "subject": subject}
        row |= {"time": time, "authid": "amy", "pending": True} | fields
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" * len(row))
        self.connection.execute(f"INSERT INTO every ({names}) VALUES ({marks})", list(row.values()))

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The result, by column name."""
        names = self.columns(sql)
        return [dict(zip(names, row, strict=True)) for row in self.connection.fetchall()]

    def columns(self, sql: str) -> list[str]:
        """The names of the result's columns, also where it has no row."""
        return [column[0] for column in self.connection.execute(written_out(sql)).description or ()]

    def _events(self, path: Path) -> None:
        """`every` holds them all; `events` and each type's relation those that the log holds at `now()`."""
        declared = (field for kind in self.board.events.values() for field in kind.fields.items())
        fields = {name: field.type for name, field in declared}
        given = {name: type for name, type in ENVELOPE.items() if name not in ("position", "pending")}
        columns = {name: TYPES[type] for name, type in given.items()}
        columns["data"] = "JSON"
        wide = [f"CAST(data ->> '{name}' AS {TYPES[type]}) AS \"{name}\"" for name, type in fields.items()]
        chosen = ", ".join(f'"{name}"' for name in columns if name != "data")
        self.connection.execute(
            f"CREATE TABLE every AS SELECT row_number() OVER () AS position, false AS pending, {chosen}, "
            f"{', '.join(wide)} FROM read_json('{path}', columns = {columns}, format = 'newline_delimited')"
        )
        self.connection.execute("CREATE MACRO now() AS TIMESTAMP '1970-01-01'")
        self.connection.execute("CREATE VIEW events AS SELECT * FROM every WHERE time <= now()")
        for kind in self.board.events:
            self.connection.execute(f"CREATE VIEW \"{kind}\" AS SELECT * FROM events WHERE type = '{kind}'")


def written_out(sql: str) -> str:
    """The query without Watchfloor's sugar."""
    return sqlglot.parse_one(sql, read="duckdb").transform(_plain).sql("duckdb")


def _plain(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Anonymous) and node.name.upper() in SUGAR:
        return SUGAR[node.name.upper()](this=node.expressions[0], expression=exp.column("position"))
    return node


def plain(value: Any) -> Any:
    """A value that DuckDB gave, as the engine has it."""
    match value:
        case datetime():
            return micros(value.replace(tzinfo=UTC))
        case Decimal():
            return float(value)
    return value
