"""Sort keys as generated code: a row to a tuple that Python orders as SQL orders the row.

NULLs and NaN become flags before the value, so that values of one type only ever meet each other; what can be negated
is, for DESC; text is wrapped in `Descending`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dataflow.sql.plan.nodes import Order
from dataflow.sql.plan.types import FLOAT, JSON, NULL, TEXT
from dataflow.zset import Row


class Descending:
    """Text, or any other value, in descending order."""

    __slots__ = ("text",)

    def __init__(self, text: Any) -> None:
        self.text = text

    def __lt__(self, other: Descending) -> bool:
        less: bool = other.text < self.text
        return less

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Descending) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


def order_key(value: Any, desc: bool, nulls_first: bool) -> tuple[Any, ...]:
    """The key of one value of any type."""
    if value is None:
        return (not nulls_first,)
    nan = value != value  # noqa: PLR0124
    held = Descending(value) if desc else value
    return (nulls_first, nan != desc, 0 if nan else held)


def sort_key(order: tuple[Order, ...]) -> Callable[[Row], Any]:
    """The function from a row to its key."""
    parts = [part for entry in order for part in _parts(entry)]
    names: dict[str, Any] = {"Descending": Descending}
    exec(f"def key(r): return ({' '.join(part + ',' for part in parts)})", names)  # noqa: S102  (our own text)
    found: Callable[[Row], Any] = names["key"]
    return found


def _parts(entry: Order) -> list[str]:
    value = f"r[{entry.index}]"
    null = f"{value} is {'not ' if entry.nulls_first else ''}None"
    if entry.type == NULL:
        return [null]
    if entry.type in (TEXT, JSON):
        held = f"Descending({value})" if entry.desc else value
        return [null, f"'' if {value} is None else {held}"]
    sign = "-" if entry.desc else ""
    if entry.type == FLOAT:
        nan = f"{value} {'==' if entry.desc else '!='} {value}"
        return [null, nan, f"0.0 if {value} is None or {value} != {value} else {sign}{value}"]
    return [null, f"0 if {value} is None else {sign}{value}"]
