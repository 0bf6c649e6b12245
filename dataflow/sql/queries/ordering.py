"""ORDER BY of a SELECT, and DISTINCT ON: as columns of its rows, to which are added those that nothing selects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlglot import exp

from dataflow.sql.expressions.casts import Typed
from dataflow.sql.expressions.scope import folded
from dataflow.sql.parsing.parse import only, refused, short
from dataflow.sql.plan import types
from dataflow.sql.plan.nodes import Col, Order
from dataflow.sql.plan.types import JSON
from dataflow.sql.queries.lowered_query import ordered


class Item(NamedTuple):
    """An entry of the select list: its name and what it is."""

    name: str
    value: Typed
    node: exp.Expr


class Ordering:
    """`lower` lowers what is no entry; `ordinal` gives the entry of a number. `extra` are the columns added."""

    def __init__(
        self,
        items: Sequence[Item],
        entries: Sequence[exp.Expr],
        lower: Callable[[exp.Expr], Typed],
        ordinal: Callable[[exp.Expr], exp.Expr],
    ) -> None:
        self.items = items
        self.entries = entries
        self.lower = lower
        self.ordinal = ordinal
        self.extra: list[Typed] = []

    def keys(self, clause: exp.Expr | None) -> tuple[Order, ...]:
        if clause is None:
            return ()
        only(clause, "expressions")
        return tuple(self._key(node) for node in ordered(clause, len(self.items)))

    def inherited(self, order: Sequence[Order]) -> tuple[Order, ...]:
        """The order of the one relation in FROM."""
        places = [(self._place_of(Typed(Col(o.index), o.type)), o) for o in order]
        return tuple(Order(at, o.type, o.desc, o.nulls_first) for at, o in places)

    def on(self, node: exp.Expr) -> list[int]:
        """The places of DISTINCT ON's values among the row's columns."""
        clause = node.args.get("distinct")
        if clause is None or clause.args.get("on") is None:
            return []
        listed = clause.args["on"]
        nodes = listed.expressions if isinstance(listed, exp.Tuple) else [listed]
        return [self._place(each.this if isinstance(each, exp.Paren) else each) for each in nodes]

    def _key(self, node: exp.Expr) -> Order:
        only(node, "this", "desc", "nulls_first")
        at = self._place(node.this)
        type = self.items[at].value.type if at < len(self.items) else self.extra[at - len(self.items)].type
        if type in (JSON, types.MONTHS):
            raise refused(node, f"{types.spoken(type)} values have no order: {short(node)}", "data ->> 'field'")
        return Order(at, type, bool(node.args.get("desc")), bool(node.args.get("nulls_first")))

    def _place(self, node: exp.Expr) -> int:
        """The column that is the node's value."""
        at = self._among(node)
        return self._place_of(self.lower(node)) if at is None else at

    def _among(self, node: exp.Expr) -> int | None:
        """The index of the item that an ordinal or an alias names: of several aliases the last, as in DuckDB."""
        if isinstance(node, exp.Literal) and not node.args.get("is_string"):
            self.ordinal(node)
            return int(node.name) - 1
        if isinstance(node, exp.Column) and not node.args.get("table"):
            named = [i for i, item in enumerate(self.items) if folded(item.name) == folded(node.name)]
            given = [i for i in named if isinstance(self.entries[i], exp.Alias)]
            if given or len({self.items[i].value.expr for i in named}) == 1:
                return (given or named)[-1]
        return None

    def _place_of(self, value: Typed) -> int:
        values = [item.value for item in self.items] + self.extra
        for i, known in enumerate(values):
            if known.expr == value.expr:
                return i
        self.extra.append(value)
        return len(values)
