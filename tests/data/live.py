"""A board in the engine, driven by hand: its events up to a moment, entries, and its live queries' rows."""

from __future__ import annotations

import gzip
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from dataflow.board import queries
from dataflow.boards import file as board_file
from dataflow.engine.engine import Engine, LiveQuery
from dataflow.events.schema import Schema
from dataflow.zset import Row, apply_splices
from storage.cloudevents import decode, micros
from storage.event import Event

PROVISIONAL = 1 << 40
SLICE = 100


def moment(text: str) -> int:
    """Microseconds of an ISO 8601 time in UTC."""
    return micros(datetime.fromisoformat(text + "+00:00"))


class Follower:
    """One live query, whose rows are what its splices have made of them."""

    def __init__(self, title: str, sql: str, live: LiveQuery) -> None:
        self.title, self.sql, self.live = title, sql, live
        self.names = [column.name for column in live.columns]
        self.rows: list[Row] = []
        live.splices.subscribe(lambda splices: apply_splices(self.rows, splices))


class LiveBoard:
    """The clock goes where it is told, past the events on the way, a slice at a time."""

    def __init__(self, board: Path, events: Path) -> None:
        loaded = board_file.load(board)
        self.board, self.schema = loaded.board, Schema(loaded.board)
        views = {name: view.sql for name, view in self.board.views.items()}
        self.engine = Engine(
            relations={"events": self.schema.columns}, kinds=self.schema.kinds, tables=loaded.tables, views=views
        )
        told = [decode(line) for line in gzip.decompress(events.read_bytes()).splitlines()]
        self._coming = [self.schema.row(event, position=at) for at, event in enumerate(told, 1)]
        self._times = [event.time for event in told]
        self._taken = 0
        self._pending: dict[str, Row] = {}

    def follow(self) -> list[Follower]:
        """Every query of every panel, and every view whole."""
        asked = [(p.title, sql) for p in self.board.panels for sql in queries(p).values()]
        asked += [(name, f"SELECT * FROM {name}") for name in self.board.views]
        return [Follower(title, sql, self.engine.live(sql, None)) for title, sql in asked]

    def go(self, to: str) -> None:
        """Take the events up to a moment; the clock then stands there."""
        until = moment(to)
        while self._taken < len(self._coming) and self._times[self._taken] <= until:
            end = min(self._taken + SLICE, len(self._coming))
            while self._times[end - 1] > until:
                end -= 1
            self.engine.push("events", self._coming[self._taken : end])
            self._taken = end
            self.engine.advance(self._times[end - 1])
        self.engine.advance(until)

    def enter(self, id: str, time: str, type: str, subject: str, **data: Any) -> None:
        """An operator's entry, pending."""
        event = Event(
            id=id, source="/desk", type=type, subject=subject, time=moment(time), authid="amy",
            data=msgspec.json.encode(data),
        )  # fmt: skip
        self._pending[id] = self.schema.row(event, pending=True, position=PROVISIONAL + len(self._pending))
        self.engine.push("events", [self._pending[id]])

    def confirm(self, id: str, position: int) -> None:
        """The log gives a pending entry its position: one step, two changes."""
        pending = self._pending.pop(id)
        names = list(self.schema.columns)
        facts = dict(zip(names, pending, strict=True)) | {"position": position, "pending": False}
        self.engine.push("events", [pending, tuple(facts[name] for name in names)], [-1, 1])

    def refuse(self, id: str) -> None:
        """The log does not take a pending entry."""
        self.engine.push("events", [self._pending.pop(id)], [-1])
