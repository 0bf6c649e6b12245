"""The relations of an engine: their columns, the rows of those that are kept whole, the log's pending rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from dataflow.engine.kept_rows import KeptRows
from dataflow.engine.log import Log
from dataflow.engine.operators.node import NONE, Rows
from dataflow.engine.push import Push, expand_weights
from dataflow.sql.runtime.json_values import shallow_text
from dataflow.zset import Row


class Table(NamedTuple):
    """A relation with its first rows."""

    columns: Mapping[str, str]
    rows: Sequence[Row]


class JsonColumns:
    """The columns of a relation that hold JSON, by their places."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        self.places = [at for at, type in enumerate(columns.values()) if type == "json"]

    def to_text(self, rows: Rows) -> Rows:
        """Return the rows with JSON as text, which can be compared and counted.

        NULL stays NULL, and what is nested too deeply becomes it.
        """
        if not self.places or all(row[at] is None for row in rows for at in self.places):
            return rows
        return [self._convert(row) for row in rows]

    def _convert(self, row: Row) -> Row:
        cells = list(row)
        for at in self.places:
            if cells[at] is not None:
                cells[at] = shallow_text(cells[at])
        return tuple(cells)


class Relations:
    """`columns` gives the types of each relation's columns. `events` is the log; all others are kept whole.

    `tables` have rows already. Those that are not in `updating` are `constant`: they change rarely.
    """

    def __init__(
        self, columns: Mapping[str, Mapping[str, str]], tables: Mapping[str, Table], updating: Iterable[str] = ()
    ) -> None:
        self.columns = {name: dict(own) for name, own in columns.items()}
        self.columns |= {name: dict(table.columns) for name, table in tables.items()}
        self.constant = frozenset(tables) - frozenset(updating)
        self.log = Log(self.columns.get("events", {}))
        self.pending: dict[Row, int] = {}
        self._json = {name: JsonColumns(own) for name, own in self.columns.items()}
        self._kept = {name: KeptRows(own) for name, own in self.columns.items() if name != "events"}
        for name, table in tables.items():
            self.apply(self.prepare(name, self.to_text(name, table.rows), None))

    def to_text(self, relation: str, rows: Rows) -> Rows:
        """Return the rows with JSON as text. Raises KeyError for a relation that there is not."""
        json = self._json.get(relation)
        if json is None:
            raise KeyError(f"there is no relation '{relation}'")
        return json.to_text(rows) if json.places else rows

    def read_history(self, chunk: Rows, position: int) -> Rows:
        """Return a chunk of history as it is fed: up to a position, with JSON as text."""
        return self._json["events"].to_text(self.log.cut(chunk, position))

    def prepare(self, relation: str, rows: Rows, weights: Sequence[int] | None) -> Push:
        """Return the push as it will be made. Changes nothing. Raises ValueError for a retracted row that is not there.

        `weights` None stands for +1 each. Confirmed rows of the log are not looked for: it is not kept.
        """
        if relation == "events":
            push = self.log.split(rows, weights)
            _check_there(self.pending, push.pending_removed)
            return push
        plus, minus = (rows, NONE) if weights is None else expand_weights(rows, weights)
        plus, minus = self._kept[relation].settle(plus, minus)
        return Push(relation, plus, retracted=minus)

    def apply(self, push: Push) -> None:
        """Take a prepared push into the rows that are kept, or the pending ones and the log's position."""
        if push.relation == "events":
            _count(self.pending, push.pending_added, 1)
            _count(self.pending, push.pending_removed, -1)
            if push.confirmed:
                self.log.rise(push.confirmed)
            return
        kept = self._kept[push.relation]
        kept.add(push.confirmed)
        kept.remove(push.retracted)

    def rows(self, relation: str) -> Iterator[Row]:
        """Return the rows of a kept relation, each as often as it is there."""
        return self._kept[relation].rows()

    def contents(self) -> Iterator[Push]:
        """Yield what is there and is not history: the pending rows, then each kept relation's rows."""
        pending = [row for row, count in self.pending.items() for _ in range(count)]
        if pending:
            yield Push("events", pending_added=pending)
        for name, kept in self._kept.items():
            yield Push(name, list(kept.rows()))


def _check_there(counts: Mapping[Row, int], removed: Rows) -> None:
    """Raise ValueError where a row would go that is not there, or not so often."""
    for row, times in Counter(removed).items() if removed else ():
        if counts.get(row, 0) < times:
            raise ValueError(f"a row is retracted that is not there: {row!r:.200}")


def _count(counts: dict[Row, int], rows: Rows, sign: int) -> None:
    """Count rows in or out of `counts`; what is not there is not kept."""
    for row in rows:
        number = counts.get(row, 0) + sign
        if number:
            counts[row] = number
        else:
            counts.pop(row, None)
