"""GROUP BY: the keys of a SELECT's rows, and expressions over its groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlglot import exp

from dataflow.sql.errors import SqlError
from dataflow.sql.expressions import aggregates
from dataflow.sql.expressions.casts import Typed
from dataflow.sql.expressions.lower import lower
from dataflow.sql.expressions.scope import RowContext, folded
from dataflow.sql.parsing.parse import error, only, refused, short
from dataflow.sql.plan import rewrite
from dataflow.sql.plan.nodes import AggregateSlot, Col, Const, Expr, Slot
from dataflow.sql.plan.types import JSON
from dataflow.sql.queries.grouping_sets import MANY, holds_sets, sets_of
from dataflow.sql.queries.rows import Rows
from dataflow.sql.queries.select_list import numbered_entry


class Groups(NamedTuple):
    """How the rows are grouped, by values over them.

    `sets` are grouping sets, each as places among the keys; None where there are none. `grand`: without keys, so there
    is always exactly one group. `grouped`: GROUP BY or the select list groups; HAVING may do so still.
    """

    keys: tuple[Typed, ...] = ()
    sets: tuple[tuple[int, ...], ...] | None = None
    grand: bool = True
    grouped: bool = False

    def exprs(self) -> tuple[Expr, ...]:
        return tuple(key.expr for key in self.keys)


UNGROUPED = Groups()


def group_rows(rows: Rows, context: RowContext) -> Groups:
    """GROUP BY. Keys are lowered in the context; numbers and aliases name entries of the select list."""
    clause = rows.node.args.get("group")
    nodes = _key_nodes(rows, clause) if clause is not None else ()
    if not nodes:
        return Groups(grouped=rows.holds_aggregate())
    keys = _Keys(rows, context)
    if holds_sets(nodes):
        return _group_by_sets(nodes, keys)
    for node in nodes:
        keys.place(node)
    return Groups(tuple(keys.values), None, False, True)


def _key_nodes(rows: Rows, clause: exp.Expr) -> Sequence[exp.Expr]:
    """What GROUP BY lists. ALL is every entry that reads columns and holds no aggregate; there may be none."""
    only(clause, "expressions", "all")
    nodes: Sequence[exp.Expr] = clause.expressions
    if clause.args.get("all") is False:
        raise refused(clause, f"GROUP BY DISTINCT is not supported: {short(clause)}", "GROUP BY a")
    if not clause.args.get("all"):
        if not nodes:
            raise error(rows.node, "GROUP BY needs a key", "GROUP BY a")
        return nodes
    if nodes:
        raise error(nodes[0], "GROUP BY ALL stands alone", "GROUP BY ALL, or the keys")
    return [entry for entry in rows.entries if not aggregates.holds(entry) and entry.find(exp.Column)]


def _group_by_sets(nodes: Sequence[exp.Expr], keys: _Keys) -> Groups:
    listed = sets_of(nodes)
    if len(listed) > MANY:
        raise refused(nodes[0], f"{len(listed)} grouping sets are too many", "GROUPING SETS ((a), (a, b))")
    sets = tuple(keys.places(each) for each in listed)
    if not keys.values and len(sets) > 1:
        raise refused(nodes[0], "grouping sets without any key are not supported")
    if any(key.literal for key in keys.values):
        raise refused(nodes[0], f"a literal is no key of grouping sets: {short(nodes[0])}")
    return Groups(tuple(keys.values), sets, False, True)


class _Keys:
    """Lowers keys, equal ones once."""

    def __init__(self, rows: Rows, context: RowContext) -> None:
        self.rows = rows
        self.context = context
        self.values: list[Typed] = []
        self._nodes: dict[int, exp.Expr] = {}

    def place(self, node: exp.Expr) -> int:
        """Which of the keys the node is."""
        key = self._lower(node)
        if key.type == JSON:
            raise refused(node, f"json values cannot be compared: {short(node)}", "data ->> 'field'")
        exprs = [each.expr for each in self.values]
        if key.expr not in exprs:
            self.values.append(key)
            return len(exprs)
        return exprs.index(key.expr)

    def places(self, nodes: Sequence[exp.Expr]) -> tuple[int, ...]:
        """The keys of one grouping set. To DuckDB two names of one value are two keys, here they would be one."""
        places: set[int] = set()
        for node in nodes:
            place = self.place(node)
            known = self._nodes.setdefault(place, node)
            if known != node and not all(self._is_column(each) for each in (known, node)):
                raise refused(node, f"{short(known)} and {short(node)} are one value in grouping sets", "GROUP BY 1, 2")
            places.add(place)
        return tuple(sorted(places))

    def _is_column(self, node: exp.Expr) -> bool:
        return isinstance(node, exp.Column) and self.rows.is_column(node)

    def _lower(self, node: exp.Expr) -> Typed:
        entry = numbered_entry(node, self.rows.entries)
        inner = entry.this if isinstance(entry, exp.Alias) else entry
        if aggregates.holds(inner):
            raise error(node, f"an aggregate in GROUP BY: {short(inner)}")
        return lower(inner, self.context)


def over_groups(expr: Expr, groups: Groups, rows: Rows) -> Expr:
    """Turn an expression over the rows, with slots for aggregates, into one over keys and aggregates.

    What equals a key becomes that key; a column still left is an error. Other slots stay.
    """
    keys = groups.exprs()

    def swap(part: Expr) -> Expr | None:
        if isinstance(part, AggregateSlot):
            return Col(len(keys) + part.n)
        if isinstance(part, Slot):
            return part
        if part in keys and not isinstance(part, Const):
            return Col(keys.index(part))
        if isinstance(part, Col):
            raise _ungrouped(part, rows)
        return None

    return rewrite.replace(expr, swap)


def _ungrouped(column: Col, rows: Rows) -> SqlError:
    name = next((field.name for field in rows.source.fields if field.at == column.index), "?")
    named = (node for node in rows.node.find_all(exp.Column) if folded(node.name) == folded(name))
    hint = f"latest({name})"
    return error(next(named, rows.node), f"column '{name}' is neither in GROUP BY nor in an aggregate", hint)
