"""What a live query is made of: its operators, what each keeps, how much that is, and the time it has taken.

The tree is the plan's. Filters, projections and lookups in tables run inside the loop of the operator above them, so
they keep nothing and have no time of their own; an operator that several queries share says how many read it. Times are
there where the engine was told to measure (`Engine.measure`) before rows were pushed.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from dataflow.engine.graph import Graph
from dataflow.engine.operators.aggregate import Aggregate
from dataflow.engine.operators.asof_join import AsOf
from dataflow.engine.operators.join import Join, Outer
from dataflow.engine.operators.node import Node, Source
from dataflow.engine.operators.temporal_filter import TemporalFilter
from dataflow.engine.operators.top import Top
from dataflow.engine.operators.window import Window
from dataflow.engine.result import Result
from dataflow.engine.step_times import StepTimes
from dataflow.sql.plan import nodes
from dataflow.sql.plan.describe import Describer, Relations, inputs
from dataflow.sql.plan.nodes import Rel

_KEEPS: Mapping[type[Node], str] = {
    Aggregate: "groups", Join: "rows of both sides", Outer: "rows of both sides", AsOf: "rows of both sides in order",
    TemporalFilter: "rows that will still change", Top: "rows in order", Window: "rows in order, by partition",
    Result: "rows of the result",
}  # fmt: skip


MOST, DEPTH = 500, 100


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """One operator, and those that it reads.

    `size` counts what it keeps; `bytes` estimates the memory of that, where rows that operators share are counted at
    each. `ms` is the time that it took, `slowest_ms` that of its slowest step. `readers` counts who reads it.
    """

    name: str
    detail: str
    keeps: str = ""
    size: int = 0
    bytes: int = 0
    ms: float = 0.0
    slowest_ms: float = 0.0
    readers: int = 1
    fused: bool = False
    inputs: tuple[Operator, ...] = ()


class Explainer:
    """Describes the operators of `graph`, with the `times` that they took."""

    def __init__(self, graph: Graph, times: StepTimes, relations: Relations) -> None:
        self._graph, self._times, self._relations = graph, times, relations

    def explain(self, result: Result) -> Operator:
        """Return the operators of a live query, its result first."""
        order = ", ".join(f"{result.plan.names[o.index]}{' DESC' if o.desc else ''}" for o in _shown(result))
        detail = f"{', '.join(result.plan.names)} in order of {order}"
        tree = _Tree(self, self._graph, Describer(self._relations))
        return self.operator(result, "result", detail, (tree.walk(result.plan.rel),))

    def stats(self) -> list[Operator]:
        """Return every operator of the graph once, inputs first, without its inputs."""
        operators, describer = [], Describer(self._relations)
        for key, node in self._graph.nodes.items():
            if isinstance(node, Result):
                name, detail = "result", ", ".join(node.plan.names)
            else:
                name, detail = describer.operator(key)
            operators.append(self.operator(node, name, detail))
        return operators

    def operator(self, node: Node, name: str, detail: str, inputs: tuple[Operator, ...] = ()) -> Operator:
        """Return what is known of one operator."""
        keeps = _KEEPS.get(type(node), "")
        return Operator(
            name=name, detail=detail, keeps=keeps, size=node.size() if keeps else 0,
            bytes=_memory(node.state()) if keeps else 0, ms=self._times.total_ms(node),
            slowest_ms=self._times.slowest_ms(node), readers=self._graph.readers.get(node, 0), inputs=inputs,
        )  # fmt: skip


class _Tree:
    """Walks the operators under one relation: the first `MOST`, no deeper than `DEPTH`."""

    def __init__(self, explainer: Explainer, graph: Graph, describer: Describer) -> None:
        self._explainer, self._graph, self._describer = explainer, graph, describer
        self._walked = 0

    def walk(self, rel: Rel, depth: int = 0) -> Operator:
        name, detail = self._describer.operator(rel)
        self._walked += 1
        below = inputs(rel)
        if below and (self._walked > MOST or depth >= DEPTH):
            below, detail = (), f"{detail} … (what it reads is left out)"
        children = tuple([self.walk(child, depth + 1) for child in below])
        node = self._graph.nodes.get(rel)
        if node is None:
            return Operator(name=name, detail=detail, fused=True, inputs=children)
        return self._explainer.operator(node, name, detail, children)


def _shown(result: Result) -> Sequence[nodes.Order]:
    width = len(result.plan.names)
    return [order for order in result.plan.order if order.index < width][:3]


def _memory(roots: Iterable[object]) -> int:
    """Return the bytes of everything that can be reached, each object once.

    Nodes count without what they keep, and functions and types for nothing.
    """
    seen: set[int] = set()
    waiting: deque[Any] = deque(roots)
    total = 0
    while waiting:
        value = waiting.popleft()
        if value is None or isinstance(value, bool | type) or callable(value) or id(value) in seen:
            continue
        seen.add(id(value))
        total += sys.getsizeof(value)
        if isinstance(value, dict):
            waiting.extend(value.keys())
            waiting.extend(value.values())
        elif isinstance(value, list | tuple | deque | set | frozenset):
            waiting.extend(value)
        elif not isinstance(value, str | bytes | int | float | Node | Source):
            waiting.extend(_attributes(value))
    return total


def _attributes(value: object) -> list[Any]:
    slots = [getattr(value, name, None) for name in getattr(type(value), "__slots__", ())]
    return [*vars(value).values(), *slots] if hasattr(value, "__dict__") else slots
