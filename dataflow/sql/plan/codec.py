"""A query's plan as bytes and back: its parts in a list, inputs first, each naming others by their place in the list.

So a part that stands in many places is written once, and no depth is too deep.
"""

from __future__ import annotations

from typing import Any, NamedTuple, get_args

import msgspec

from dataflow.sql.plan import nodes
from dataflow.sql.plan.nodes import Node, Query, Slot

_REFERENCE = 1
_FINISHED = (*get_args(nodes.Expr), *get_args(nodes.Rel), nodes.Agg, nodes.Order, nodes.WindowCall, Query)
_CLASSES: dict[str, type[Node]] = {kind.__name__: kind for kind in _FINISHED}
"""What a finished plan may hold: so no `Slot`."""


class _At(NamedTuple):
    """The place of another part."""

    place: int


def parts(node: Node) -> list[Node]:
    """The nodes that stand in a node's fields."""
    found: list[Node] = []
    waiting = [getattr(node, name) for name in node.__struct_fields__]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Node):
            found.append(value)
        elif isinstance(value, tuple) and not node.holds_constants:
            waiting += value
    return found


def in_order(root: Node) -> dict[Node, int]:
    """All parts with their places, inputs first."""
    places: dict[Node, int] = {}
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, opened = stack.pop()
        if node in places:
            continue
        if opened:
            places[node] = len(places)
        else:
            stack.append((node, True))
            stack += [(part, False) for part in parts(node) if part not in places]
    return places


def is_finished(query: Query) -> bool:
    """Whether every value of the plan has its column."""
    return not any(isinstance(node, Slot) for node in in_order(query))


def encode(query: Query) -> bytes:
    """Raises OverflowError where a constant is beyond 64 bits, and ValueError where the plan is not finished."""
    places = in_order(query)
    if any(isinstance(node, Slot) for node in places):
        raise ValueError("the plan is not finished: it holds a slot")

    def written(value: Any) -> Any:
        if isinstance(value, Node):
            return msgspec.msgpack.Ext(_REFERENCE, places[value].to_bytes(4, "big"))
        return [written(part) for part in value] if isinstance(value, tuple) else value

    rows = [
        [type(node).__name__, *(written(getattr(node, name)) for name in node.__struct_fields__)] for node in places
    ]
    return msgspec.msgpack.encode(rows)


def decode(data: bytes) -> Query:
    """Raises ValueError where the bytes are no plan."""
    made: list[Node] = []

    def read(value: Any) -> Any:
        if isinstance(value, _At):
            return made[value.place]
        return tuple(map(read, value)) if isinstance(value, list) else value

    try:
        for name, *fields in msgspec.msgpack.decode(data, ext_hook=_reference):
            made.append(_CLASSES[name](*map(read, fields)))
    except (msgspec.MsgspecError, LookupError, TypeError) as error:
        raise ValueError(f"the bytes are no plan: {error}") from error
    if not made or not isinstance(made[-1], nodes.Query):
        raise ValueError("the bytes are no plan: there is no query")
    return made[-1]


def _reference(code: int, data: memoryview) -> Any:
    return _At(int.from_bytes(data, "big"))
