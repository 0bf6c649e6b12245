"""The shared log as the server has it, read by a plain NATS client: what every desk is held against."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import nats

from dataflow.board import ENVELOPE
from dataflow.nats import subjects, wire
from dataflow.times import iso
from storage.event import Event
from storage.identity import Identity, identity
from tests.data.duck import TYPES, Duck

READ_S = 300
BUFFER = 2**30


class Log:
    """`seen`: every message that is an event, as (position, id), in order; `facts`: each event (id, source, author)
    once, at its first position, with all that a desk has to know of it. The same is in the NDJSON file `path`, for
    DuckDB.
    """

    def __init__(self, board: str, path: Path) -> None:
        self.path = path
        self.seen: list[tuple[int, str]] = []
        self.facts: dict[Identity, tuple[int, int]] = {}
        self.last = 0
        self._board = board

    async def read(self, url: str) -> Log:
        """All that there is now."""
        connection = await nats.connect(url, allow_reconnect=False)
        try:
            js = connection.jetstream(timeout=30)
            name = subjects.stream(self._board)
            self.last = (await js.stream_info(name)).state.last_seq
            whole = asyncio.get_running_loop().create_future()
            with self.path.open("wb") as file:

                async def take(message: Any) -> None:
                    position = message.metadata.sequence.stream
                    self._take(position, message, file)
                    if position >= self.last and not whole.done():
                        whole.set_result(None)

                if self.last:
                    await js.subscribe(
                        subjects.everything(self._board), stream=name, cb=take, ordered_consumer=True,
                        pending_msgs_limit=BUFFER, pending_bytes_limit=BUFFER,
                    )  # fmt: skip
                    await asyncio.wait_for(whole, READ_S)
        finally:
            await connection.close()
        return self

    def _take(self, position: int, message: Any, file: Any) -> None:
        event = wire.decode(self._board, message.subject, message.headers, message.data, position)
        self.seen.append((position, event.id))
        if identity(event) in self.facts:
            return
        self.facts[identity(event)] = position, facts(event)
        row = {name: getattr(event, name) for name in ENVELOPE if name != "pending"}
        row |= {"time": iso(event.time), "data": msgspec.Raw(event.data)}
        file.write(msgspec.json.encode(row) + b"\n")


def facts(event: Event) -> int:
    """All that two copies of an event have to agree on, as one number."""
    told = event.type, event.source, event.subject, event.time, event.authid, event.causationid, event.seen, event.data
    return hash(told)


class LogDuck(Duck):
    """A board in DuckDB over a `Log`'s file: at the log's positions, and whatever their times."""

    def _events(self, path: Path) -> None:
        fields = {n: f.type for kind in self.board.events.values() for n, f in kind.fields.items()}
        columns = {name: TYPES[type] for name, type in ENVELOPE.items() if name != "pending"} | {"data": "JSON"}
        wide = [f"CAST(data ->> '{name}' AS {TYPES[type]}) AS \"{name}\"" for name, type in fields.items()]
        chosen = ", ".join(f'"{name}"' for name in columns if name != "data")
        self.connection.execute(
            f"CREATE TABLE events AS SELECT {chosen}, false AS pending, {', '.join(wide)} "
            f"FROM read_json('{path}', columns = {columns}, format = 'newline_delimited')"
        )
        self.connection.execute("CREATE MACRO now() AS TIMESTAMP '1970-01-01'")
        for kind in self.board.events:
            self.connection.execute(f"CREATE VIEW \"{kind}\" AS SELECT * FROM events WHERE type = '{kind}'")

    def answer(self, sql: str, now: int) -> Sequence[tuple[Any, ...]]:
        """What the query gives when the board's clock shows `now`, in µs."""
        self.at(iso(now).rstrip("Z"))
        return [tuple(row.values()) for row in self.rows(sql)]
