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

from dataflow.engine.circuit import Circuit
from dataflow.engine.operators.aggregate import Aggregate
from dataflow.engine.operators.asof_join import AsOf
from dataflow.engine.operators.join import Join, Outer
from dataflow.engine.operators.node import Node, Source
from dataflow.engine.operators.temporal_filter import TemporalFilter
from dataflow.engine.operators.top import Top
from dataflow.engine.operators.window import Window
from dataflow.engine.result import Result
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
    """One operator. `size` counts what it keeps, `bytes` estimates the memory of that (rows that operators share are
    counted at each), `ms` is the time that it took, `slowest_ms` that of its slowest step, `readers` how many operators
    read it.
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


def explained(circuit: Circuit, result: Result, relations: Relations) -> Operator:
    """The operators of a live query, its result first."""
    order = ", ".join(f"{result.plan.names[o.index]}{' DESC' if o.desc else ''}" for o in _shown(result))
    return _operator(
        circuit, result, "result", f"{', '.join(result.plan.names)} in order of {order}", circuit.readers[result],
        (_Explainer(circuit, relations).explained(result.plan.rel),),
    )  # fmt: skip


def stats(circuit: Circuit, relations: Relations) -> list[Operator]:
    """Every operator of the circuit once, inputs first, without its inputs."""
    found = []
    describer = Describer(relations)
    for key, node in circuit.nodes.items():
        if isinstance(node, Result):
            name, detail = "result", ", ".join(node.plan.names)
        else:
            name, detail = describer.operator(key)
        found.append(_operator(circuit, node, name, detail, circuit.readers.get(node, 0)))
    return found


def _shown(result: Result) -> Sequence[nodes.Order]:
    width = len(result.plan.names)
    return [order for order in result.plan.order if order.index < width][:3]


class _Explainer:
    """The operators under one relation: the first `MOST`, no deeper than `DEPTH`."""

    def __init__(self, circuit: Circuit, relations: Relations) -> None:
        self._circuit, self._describer = circuit, Describer(relations)
        self._shown = 0

    def explained(self, rel: Rel, depth: int = 0) -> Operator:
        name, detail = self._describer.operator(rel)
        self._shown += 1
        below = inputs(rel)
        if below and (self._shown > MOST or depth >= DEPTH):
            below, detail = (), f"{detail} … (what it reads is left out)"
        children = tuple([self.explained(child, depth + 1) for child in below])
        node = self._circuit.nodes.get(rel)
        if node is None:
            return Operator(name=name, detail=detail, fused=True, inputs=children)
        return _operator(self._circuit, node, name, detail, self._circuit.readers[node], children)


def _operator(
    circuit: Circuit, node: Node, name: str, detail: str, readers: int, inputs: tuple[Operator, ...] = ()
) -> Operator:
    keeps = _KEEPS.get(type(node), "")
    return Operator(
        name=name, detail=detail, keeps=keeps, size=node.size() if keeps else 0,
        bytes=_memory(node.state()) if keeps else 0, ms=circuit.spent.get(node, 0.0) * 1000,
        slowest_ms=circuit.slowest.get(node, 0.0) * 1000, readers=readers, inputs=inputs,
    )  # fmt: skip


def _memory(roots: Iterable[object]) -> int:
    """Bytes of everything that can be reached, each object once. Small numbers and names cost nothing: they are
    Python's own.
    """
    seen: set[int] = set()
    waiting: deque[Any] = deque(roots)
    total = 0
    while waiting:
        found = waiting.popleft()
        if found is None or isinstance(found, bool | type) or callable(found) or id(found) in seen:
            continue
        seen.add(id(found))
        total += sys.getsizeof(found)
        if isinstance(found, dict):
            waiting.extend(found.keys())
            waiting.extend(found.values())
        elif isinstance(found, list | tuple | deque | set | frozenset):
            waiting.extend(found)
        elif not isinstance(found, str | bytes | int | float | Node | Source):
            waiting.extend(_parts(found))
    return total


def _parts(found: object) -> list[Any]:
    slots = [getattr(found, name, None) for name in getattr(type(found), "__slots__", ())]
    return [*vars(found).values(), *slots] if hasattr(found, "__dict__") else slots
