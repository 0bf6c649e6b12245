"""The graph of operators: plans made into nodes, equal subplans into one, whose state is freed with its last reader.

A node is known by its plan. `grow` builds what is missing. Those nodes are fresh, that is, empty and yet to be fed with
what was before them (`hydration.py`); until `admit` they are `unready`: no route leads to them. Nodes run in order of
rank, inputs first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from dataflow.engine.builder import Builder
from dataflow.engine.fast_path import FastPath
from dataflow.engine.operators.node import Node, Source
from dataflow.engine.operators.temporal_filter import TemporalFilter
from dataflow.engine.relations import Relations
from dataflow.engine.result import Result
from dataflow.sql.plan.nodes import Query, Rel, Scan

KindSource = tuple[Source, tuple[str, ...]]
"""A source of some event types, and their names."""


class Route(NamedTuple):
    """The nodes of a step in the order in which they run, and the results among them."""

    nodes: list[Node]
    results: list[Result]


class Graph:
    """`nodes` maps plans to nodes, `keys` nodes to plans, `readers` nodes to the number of their readers.

    `timed` are the temporal filters, `unready` the nodes that are yet to be fed. `fast_path` is the shortest way
    through the graph, if there is one; it goes, as all routes do, with every change of the graph.
    """

    def __init__(self, relations: Relations) -> None:
        self.nodes: dict[Any, Node] = {}
        self.keys: dict[Node, Any] = {}
        self.readers: dict[Node, int] = {}
        self.timed: list[TemporalFilter] = []
        self.unready: set[Node] = set()
        self.fast_path: FastPath | None = None
        self._builder = Builder(relations, self.nodes)
        self._indexed: dict[Node, set[str]] = {}
        self._fresh: dict[Node, None] = {}
        self._readable: set[Node] = set()
        self._routes: dict[tuple[Node, ...], Route] = {}
        self._sources: dict[str, tuple[tuple[Source, ...], tuple[KindSource, ...]]] = {}

    # growing

    def grow(self, queries: Iterable[Query], now: int) -> tuple[list[Result], list[Node]]:
        """Return the results of queries, each with one reader more, and the fresh nodes, inputs first.

        Where one cannot be built, none is, and what its building raised is raised.
        """
        self._fresh = {}
        self._readable.clear()
        results: list[Result] = []
        try:
            for query in queries:
                results.append(self._grow_result(query, now))  # noqa: PERF401  (those made are released where one fails)
        except Exception:
            self._uproot(results)
            raise
        fresh, self._fresh = list(self._fresh), {}
        self.unready = set(fresh)
        return results, fresh

    def admit(self) -> None:
        """Let the fresh nodes, which have been fed, join the others."""
        self.unready = set()
        self._forget_ways()

    def _uproot(self, results: Sequence[Result]) -> None:
        """Remove what has been built, and has not been fed."""
        for result in results:
            self.release(result)
        for node in reversed(self._fresh):
            if node in self.readers and not self.readers[node]:
                self.readers[node] = 1
                self.release(node)
        self._fresh = {}

    def _grow_result(self, query: Query, now: int) -> Result:
        result = self.nodes.get(query)
        if not isinstance(result, Result):
            result = Result(query, self._grow_node(query.rel, now))
            self._add(query, result)
        self.readers[result] += 1
        return result

    def _grow_node(self, rel: Rel, now: int) -> Node:
        """Return the node of a plan, made where there is none yet, after those that it reads."""
        waiting = [rel]
        while waiting:
            part = waiting[-1]
            inputs = () if self._is_readable(part) else self._builder.inputs(part)
            missing = [each for each in inputs if not self._is_readable(each)]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            if not self._is_readable(part):
                node, tables = self._builder.build(part, now)
                self._add(part, node)
                if tables:
                    self._indexed[node] = tables
        return self.nodes[rel]

    def _is_readable(self, rel: Rel) -> bool:
        """Say whether a new reader can ask a plan's node for its rows so far. Each is asked once while growing."""
        node = self.nodes.get(rel)
        if node is None:
            return False
        if node not in self._fresh and node not in self._readable:
            if not isinstance(node, Source) and node.rows() is None:
                return False
            self._readable.add(node)
        return True

    def _add(self, key: Any, node: Node) -> None:
        self.nodes[key] = node
        self.keys[node] = key
        if isinstance(node, TemporalFilter):
            self.timed.append(node)
        self.readers[node] = 0
        for child in node.inputs:
            self.readers[child] += 1
            child.readers.append(node)
        self._fresh[node] = None
        self._forget_ways()

    # shrinking

    def release(self, node: Node) -> None:
        """Take one reader off a node. Without readers it goes, and with it its claim on its inputs."""
        claims = [node]
        while claims:
            node = claims.pop()
            self.readers[node] -= 1
            if not self.readers[node]:
                self._remove(node)
                for child in node.inputs:
                    child.readers.remove(node)
                    claims.append(child)

    def disown(self, node: Node) -> None:
        """Let no new query find this node: another one will take its place."""
        key = self.keys.get(node)
        if self.nodes.get(key) is node:
            del self.nodes[key]

    def _remove(self, node: Node) -> None:
        self.disown(node)
        del self.readers[node], self.keys[node]
        self._indexed.pop(node, None)
        self.unready.discard(node)
        if isinstance(node, TemporalFilter):
            self.timed.remove(node)
        self._forget_ways()

    # ways through it

    def route(self, active: tuple[Node, ...]) -> Route:
        """Return what runs when `active` have rows: they, but for sources, and the ready nodes behind them."""
        route = self._routes.get(active)
        if route is None:
            reached = self.behind(active, self.unready)
            nodes = sorted((node for node in reached if not isinstance(node, Source)), key=_rank)
            route = self._routes[active] = Route(nodes, [node for node in nodes if isinstance(node, Result)])
        return route

    def behind(self, nodes: Iterable[Node], excluded: Iterable[Node] = ()) -> set[Node]:
        """Return the nodes and all that read them, but not through the excluded ones."""
        reached, out = set(nodes), set(excluded)
        for node in sorted(self.keys, key=_rank):
            if node not in reached and node not in out and any(child in reached for child in node.inputs):
                reached.add(node)
        return reached

    def indexing(self, relation: str) -> list[Node]:
        """Return the nodes whose code has indexed a constant relation."""
        return [node for node, tables in self._indexed.items() if relation in tables]

    def sources(self, relation: str) -> tuple[tuple[Source, ...], tuple[KindSource, ...]]:
        """Return the sources of all rows of a relation, and those of some event types."""
        known = self._sources.get(relation)
        if known is None:
            scans = [
                (key, node)
                for key, node in self.nodes.items()
                if isinstance(key, Scan) and isinstance(node, Source) and key.relation == relation
            ]
            plain = tuple(node for key, node in scans if not key.kinds)
            known = self._sources[relation] = plain, tuple((node, key.kinds) for key, node in scans if key.kinds)
        return known

    def use_fast_path(self, path: FastPath | None) -> None:
        """Let pushes and the clock go this way until the graph changes or the path is dropped by None."""
        self.fast_path = path

    def _forget_ways(self) -> None:
        self.fast_path = None
        self._routes.clear()
        self._sources.clear()


def _rank(node: Node) -> int:
    return node.rank
