"""Subqueries in the select list, HAVING or ORDER BY of a grouped query: joined to the groups, not to the rows.

While the SELECT is lowered, `SubquerySlot(n)` stands for the nth. A subquery may name the keys that are columns.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from dataflow.sql.expressions.casts import Typed
from dataflow.sql.expressions.scope import Source
from dataflow.sql.plan import rewrite
from dataflow.sql.plan.nodes import Aggregate, Col, Expr, Map, Rel, SubquerySlot, placed
from dataflow.sql.plan.prune_columns import prune_columns
from dataflow.sql.plan.push_filters import FilterPusher
from dataflow.sql.queries.subqueries import Nested


class GroupSubqueries:
    """The subqueries of one SELECT over its groups. `waiting` are the nodes that may be asked for."""

    def __init__(self, nested: Nested, pusher: FilterPusher, waiting: Sequence[exp.Expr]) -> None:
        self.nested = nested
        self.pusher = pusher
        self.waiting = {id(node) for node in waiting}
        self.found: dict[int, tuple[exp.Expr, Typed]] = {}

    def lower(self, node: exp.Expr, rows: Rel, source: Source, keys: Sequence[Typed]) -> Typed:
        """The subquery as a column to come. Its type does not hang on the aggregates, which are not all known yet."""
        if id(node) not in self.found:
            groups = _groups(Aggregate(rows, _exprs(keys), (), (), _row(len(keys))), source, keys, len(keys))
            _, value = self.nested.scalar(node, groups)
            place = placed(SubquerySlot(len(self.found)))
            self.found[id(node)] = node, Typed(place, value.type, value.wild)
        return self.found[id(node)][1]

    def over(self, whole: Aggregate, source: Source, keys: Sequence[Typed], columns: Sequence[Expr]) -> Rel:
        """`columns` of the groups. `whole` has all of these, and its `having` may ask subqueries too."""
        plain = tuple(test for test in whole.having if not rewrite.slots(test))
        made: list[Expr] = list(map(Col, range(len(keys))))
        asking = [rewrite.collected(test, made) for test in whole.having if rewrite.slots(test)]
        turned = [rewrite.collected(column, made) for column in columns]
        rows = Aggregate(whole.input, whole.keys, whole.aggs, plain, tuple(made), whole.grand)
        groups = _groups(prune_columns(rows), source, keys, len(made))
        values = []
        for node, _ in self.found.values():
            groups, value = self.nested.scalar(node, groups)
            values.append(value.expr)

        def swap(part: Expr) -> Expr | None:
            return values[part.n] if isinstance(part, SubquerySlot) else None

        rel = groups.rel
        for test in asking:
            rel = self.pusher.filter(rel, rewrite.replace(test, swap))
        return prune_columns(Map(rel, (), tuple(rewrite.replace(column, swap) for column in turned)))


def _exprs(keys: Sequence[Typed]) -> tuple[Expr, ...]:
    return tuple(key.expr for key in keys)


def _row(width: int) -> tuple[Expr, ...]:
    return tuple(map(Col, range(width)))


def _groups(rel: Rel, source: Source, keys: Sequence[Typed], width: int) -> Source:
    """The groups as what a subquery sees: the keys that are columns, under their names."""
    places = {key.expr.index: at for at, key in enumerate(keys) if isinstance(key.expr, Col)}
    fields = tuple(field._replace(at=places[field.at]) for field in source.fields if field.at in places)
    return Source(rel, fields, width)
