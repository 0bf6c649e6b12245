"""Rows into the graph's sources: to those of all rows of a relation, and by event type to those of some types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dataflow.engine.graph import Graph, KindSource
from dataflow.engine.log import Log
from dataflow.engine.operators.node import NONE, Rows, Source
from dataflow.engine.push import Push
from dataflow.zset import Row


class Router:
    """Lays rows into the sources of `graph`, and changes nothing else."""

    def __init__(self, graph: Graph, log: Log) -> None:
        self._graph = graph
        self._type_at = log.type_at

    def lay(self, push: Push) -> tuple[Source, ...]:
        """Lay a push into the sources of its relation; return those that got rows, and all of the plain ones."""
        plain, kinds = self._graph.sources(push.relation)
        for source in plain:
            source.put(*push[1:])
        if not kinds:
            return plain
        parts = [self._by_type(rows) if rows else {} for rows in push[1:]]
        return (*plain, *self._lay_kinds(parts, kinds))

    def lay_ready(self, push: Push) -> tuple[Source, ...]:
        """Do as `lay`, but leave out the sources that are not ready: nothing is left in them."""
        sources, unready = self.lay(push), self._graph.unready
        if unready:
            for source in unready.intersection(sources):
                source.clear()
            sources = tuple(source for source in sources if source not in unready)
        return sources

    def lay_confirmed(self, rows: Rows) -> tuple[Source, ...]:
        """Lay confirmed rows of the log, and nothing else, into its sources. Every source has to be ready."""
        plain, kinds = self._graph.sources("events")
        for source in plain:
            source.plus = source.confirmed = rows
        if not kinds:
            return plain
        by_type, sources = self._by_type(rows), list(plain)
        for source, names in kinds:
            part = _pick(by_type, names)
            if part:
                source.plus = source.confirmed = part
                sources.append(source)
        return tuple(sources)

    def _lay_kinds(self, parts: Sequence[Mapping[Any, list[Row]]], kinds: Sequence[KindSource]) -> list[Source]:
        sources = []
        for source, names in kinds:
            rows = [_pick(part, names) for part in parts]
            if any(rows):
                source.put(*rows)
                sources.append(source)
        return sources

    def _by_type(self, rows: Rows) -> dict[Any, list[Row]]:
        groups: dict[Any, list[Row]] = {}
        at = self._type_at
        for row in rows:
            kind = row[at]
            if kind in groups:
                groups[kind].append(row)
            else:
                groups[kind] = [row]
        return groups


def _pick(by_type: Mapping[Any, list[Row]], names: tuple[str, ...]) -> Rows:
    if len(names) == 1:
        return by_type.get(names[0], NONE)
    return [row for name in names for row in by_type.get(name, NONE)]
