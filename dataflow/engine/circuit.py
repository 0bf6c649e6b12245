"""The circuit: plans made into nodes, equal subplans into one node, whose state is freed with its last reader.

A node is known by its plan. `grow` builds what is missing and says which nodes are fresh, that is, empty and yet to
be fed with what was before; `hydration.py` does that, and until then they are `unready`: no route leads to them.
Nodes run in order of rank, inputs first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from dataflow.engine.builder import Builder, TableRows
from dataflow.engine.fast_path import Lane
from dataflow.engine.operators.node import NONE, Node, Source
from dataflow.engine.operators.temporal_filter import TemporalFilter
from dataflow.engine.result import Result
from dataflow.engine.step_budget import LIMIT_S, Budget
from dataflow.sql.plan.nodes import Query, Rel, Scan


class Route(NamedTuple):
    nodes: list[Node]
    results: list[Result]


class Trouble(NamedTuple):
    """A node that failed in a step, or took `seconds`, which is too long."""

    node: Node
    error: Exception | None
    seconds: float = 0.0


class Circuit:
    """`constant` names the relations that lookups may index; `table_rows` gives their rows. `position_at`: the log's
    column of positions, −1 if it has none. `position`: the last one that it holds.
    """

    def __init__(self, constant: Iterable[str], table_rows: TableRows, now: int, position_at: int) -> None:
        self._builder = Builder(frozenset(constant), table_rows, position_at, self._node)
        self.now = now
        self.position_at = position_at
        self.position = 0
        self.unready: set[Node] = set()
        self.timed: list[TemporalFilter] = []
        self.nodes: dict[Any, Node] = {}
        self.keys: dict[Node, Any] = {}
        self.readers: dict[Node, int] = {}
        self.indexed: dict[Node, set[str]] = {}
        self.fresh: dict[Node, None] = {}
        self._standing: set[Node] = set()
        self.lane: Lane | None = None
        self.measured = False
        self.budget: Budget | None = None
        self.troubles: list[Trouble] = []
        self.spent: WeakKeyDictionary[Node, float] = WeakKeyDictionary()
        self.slowest: WeakKeyDictionary[Node, float] = WeakKeyDictionary()
        self._routes: dict[tuple[Node, ...], Route] = {}
        self._sources: dict[str, tuple[tuple[Source, ...], tuple[tuple[Source, tuple[str, ...]], ...]]] = {}

    # growing

    def grow(self, queries: Iterable[Query]) -> tuple[list[Result], list[Node]]:
        """The results of queries, and the nodes that are new, inputs first. Where one cannot be built, none is."""
        self.fresh = {}
        self._standing.clear()
        results: list[Result] = []
        try:
            for query in queries:
                results.append(self._result(query))  # noqa: PERF401  (those that were made are needed where one fails)
        except Exception:
            self._uproot(results)
            raise
        fresh, self.fresh = list(self.fresh), {}
        return results, fresh

    def _uproot(self, results: Sequence[Result]) -> None:
        """Leave nothing of what has been built, and not been fed."""
        for result in results:
            self.release(result)
        for node in reversed(self.fresh):
            if node in self.readers and not self.readers[node]:
                self.readers[node] = 1
                self.release(node)
        self.fresh = {}

    def _result(self, query: Query) -> Result:
        found = self.nodes.get(query)
        if not isinstance(found, Result):
            found = Result(query, self._node(query.rel))
            self._add(query, found)
        self.readers[found] += 1
        return found

    def release(self, node: Node) -> None:
        """One reader less; without readers a node goes, and with it its claim on its inputs."""
        claims = [node]
        while claims:
            node = claims.pop()
            self.readers[node] -= 1
            if not self.readers[node]:
                self._remove(node)
                for child in node.inputs:
                    child.readers.remove(node)
                    claims.append(child)

    def _remove(self, node: Node) -> None:
        del self.readers[node]
        key = self.keys.pop(node)
        if self.nodes.get(key) is node:
            del self.nodes[key]
        self.indexed.pop(node, None)
        if isinstance(node, TemporalFilter):
            self.timed.remove(node)
        self.changed()

    def forget(self, node: Node) -> None:
        """Let nobody else find this node: another one will take its place."""
        key = self.keys.get(node)
        if self.nodes.get(key) is node:
            del self.nodes[key]

    def _add(self, key: Any, node: Node) -> None:
        self.nodes[key] = node
        self.keys[node] = key
        if isinstance(node, TemporalFilter):
            self.timed.append(node)
        self.readers[node] = 0
        for child in node.inputs:
            self.readers[child] += 1
            child.readers.append(node)
        self.fresh[node] = None
        self.changed()

    def _node(self, rel: Rel) -> Node:
        """The node of a plan, made where there is none yet, after those that it reads."""
        waiting = [rel]
        while waiting:
            part = waiting[-1]
            inputs = () if self._stands(part) else self._builder.inputs(part)
            missing = [each for each in inputs if not self._stands(each)]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            if not self._stands(part):
                node, tables = self._builder.build(part, self.now)
                self._add(part, node)
                if tables:
                    self.indexed[node] = tables
        return self.nodes[rel]

    def _stands(self, rel: Rel) -> bool:
        """Whether there is a node that a new reader can ask for its rows so far: each is asked once while growing."""
        found = self.nodes.get(rel)
        if found is None:
            return False
        if found not in self.fresh and found not in self._standing:
            if not isinstance(found, Source) and found.rows() is None:
                return False
            self._standing.add(found)
        return True

    # running

    def run(self, nodes: Sequence[Node], given: Iterable[Node] = ()) -> None:
        """One step of `nodes`, in order; then nobody's output is left standing, nor that of those whose output was
        given. A node that fails is in `troubles` then, and nobody who reads it was run.
        """
        node: Node | None = None
        try:
            if self.measured or self.budget is not None:
                self._step_measured(nodes)
            else:
                for node in nodes:
                    node.step()
        except Exception as error:  # noqa: BLE001  (whatever a value does to one query, others go on)
            self._go_on(nodes, node, error)
        finally:
            for node in nodes:
                node.plus = node.minus = NONE
            for node in given:
                node.clear()

    def _go_on(self, nodes: Sequence[Node], failed: Node | None, error: Exception) -> None:
        """Run those after a node that failed that do not read it."""
        rest = list(nodes)
        while failed is not None:
            self.troubles.append(Trouble(failed, error))
            behind = self.behind([failed])
            rest = [node for node in rest[rest.index(failed) + 1 :] if node not in behind]
            failed = None
            for node in rest:
                try:
                    node.step()
                except Exception as another:  # noqa: BLE001
                    failed, error = node, another
                    break

    def _step_measured(self, nodes: Sequence[Node]) -> None:
        clock = self.budget.clock if self.budget is not None else perf_counter
        ended = clock()
        for node in nodes:
            began = ended
            try:
                node.step()
            except Exception as error:  # noqa: BLE001
                self._go_on(nodes, node, error)
                return
            ended = clock()
            if self.measured:
                self._note(node, ended - began)
            if ended - began > LIMIT_S:
                self.overran(node, ended - began)

    def failed(self, node: Node, error: Exception) -> None:
        """A node failed, where it was not run by `run`."""
        self.troubles.append(Trouble(node, error))

    def due(self, node: TemporalFilter, now: int) -> bool:
        """Whether a row enters or leaves the temporal filter by a move of the clock, in the step to come."""
        try:
            return node.due(now)
        except Exception as error:  # noqa: BLE001  (a bound beyond all times)
            self.failed(node, error)
            return False

    def _note(self, node: Node, seconds: float) -> None:
        self.spent[node] = self.spent.get(node, 0.0) + seconds
        self.slowest[node] = max(self.slowest.get(node, 0.0), seconds)

    def overran(self, node: Node, seconds: float) -> None:
        """A node took so many seconds by the wall."""
        if self.budget is not None and (own := self.budget.over(seconds)):
            self.troubles.append(Trouble(node, None, own))

    def route(self, active: tuple[Node, ...]) -> Route:
        """The nodes to run when `active` have something to say, in order, and the results among them."""
        known = self._routes.get(active)
        if known is None:
            reached = self.behind(active, self.unready)
            nodes = sorted((node for node in reached if not isinstance(node, Source)), key=_rank)
            known = self._routes[active] = Route(nodes, [node for node in nodes if isinstance(node, Result)])
        return known

    def behind(self, nodes: Iterable[Node], beside: Iterable[Node] = ()) -> set[Node]:
        """The nodes and all that read them, but not through those `beside`."""
        reached, out = set(nodes), set(beside)
        for node in sorted(self.keys, key=_rank):
            if node not in reached and node not in out and any(child in reached for child in node.inputs):
                reached.add(node)
        return reached

    def sources(self, relation: str) -> tuple[tuple[Source, ...], tuple[tuple[Source, tuple[str, ...]], ...]]:
        """The relation's sources: those of all its rows, and those of some event types with the types' names."""
        known = self._sources.get(relation)
        if known is None:
            scans = [
                (k, n)
                for k, n in self.nodes.items()
                if isinstance(k, Scan) and isinstance(n, Source) and k.relation == relation
            ]
            plain = tuple(node for key, node in scans if not key.kinds)
            known = self._sources[relation] = plain, tuple((node, key.kinds) for key, node in scans if key.kinds)
        return known

    def changed(self) -> None:
        """The circuit has changed: what was known of ways through it no longer holds."""
        self.lane = None
        self._routes.clear()
        self._sources.clear()


def _rank(node: Node) -> int:
    return node.rank
