"""One SELECT to a plan, in stages. Each takes what those before it give, and changes none of it.

    from_rows          FROM                           → Rows: the source, and the select list without stars
    join_subqueries    scalar subqueries              → Rows, their values joined on
    filter_rows        WHERE, temporal filters last   → Rel
    group_rows         GROUP BY                       → Groups: the keys
    lower_clauses      the select list, HAVING, ORDER BY, DISTINCT ON, QUALIFY  → Clauses, over the rows
    make_rows          groups, window functions, QUALIFY, the select list       → Rel
    make_distinct      DISTINCT                       → Rel

An expression over groups is first lowered over the input rows, with slots for aggregates, window functions and
subqueries, which a `SelectScope` collects; `make_rows` then turns keys and slots into columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlglot import exp

from dataflow.sql.expressions.casts import Typed
from dataflow.sql.expressions.lower import condition, lower
from dataflow.sql.parsing.parse import error, only, refused, short
from dataflow.sql.plan import rewrite, types
from dataflow.sql.plan.distinct import distinct, distinct_on
from dataflow.sql.plan.nodes import Aggregate, Expr, Map, Order, Rel
from dataflow.sql.plan.prune_columns import prune_columns
from dataflow.sql.plan.push_filters import FilterPusher
from dataflow.sql.plan.types import JSON
from dataflow.sql.queries.from_clause import Lower, Names
from dataflow.sql.queries.grouping import Groups, group_rows, over_groups
from dataflow.sql.queries.grouping_sets import over_sets
from dataflow.sql.queries.lowered_query import Selected, limits
from dataflow.sql.queries.ordering import Item, Ordering
from dataflow.sql.queries.rows import Rows, filter_rows, from_rows, join_subqueries
from dataflow.sql.queries.select_list import column_name, numbered_entry
from dataflow.sql.queries.select_scope import SelectScope
from dataflow.sql.queries.subqueries import Nested

CLAUSES = (
    "expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset", "distinct", "with_",
    "kind", "hint", "windows", "qualify",
)  # fmt: skip


def lower_select(node: exp.Select, names: Names, pusher: FilterPusher, lower_query: Lower) -> Selected:
    """Lower one SELECT; `lower_query` lowers the queries in it. Raises SqlError."""
    only(node, *CLAUSES)
    nested = Nested(names, lower_query, pusher)
    rows = join_subqueries(from_rows(node, names, lower_query, pusher), nested, pusher)
    scope = SelectScope(rows, nested, pusher)
    rel = filter_rows(rows, scope.row_context("WHERE"), nested, pusher)
    groups = group_rows(rows, scope.row_context("GROUP BY"))
    scope = scope.grouped(groups)
    clauses = lower_clauses(rows, scope, groups)
    rel = make_distinct(make_rows(rel, scope, clauses), node, clauses)
    hidden = tuple(value.type for value in clauses.hidden)
    return Selected(rel, clauses.columns(), clauses.order, *limits(node), hidden)


class Clauses(NamedTuple):
    """The clauses after GROUP BY, over the rows, with slots.

    Rows have the `items`, then `hidden`, which only `order` and `on` (the places of DISTINCT ON's values) need.
    `grouped`: one of the clauses, or GROUP BY, groups the rows.
    """

    items: tuple[Item, ...]
    hidden: tuple[Typed, ...]
    having: tuple[Expr, ...]
    qualify: tuple[Expr, ...]
    order: tuple[Order, ...]
    on: tuple[int, ...]
    grouped: bool

    def values(self) -> list[Typed]:
        return [*(item.value for item in self.items), *self.hidden]

    def columns(self) -> tuple[tuple[str, str, bool], ...]:
        """Name, type and wildness of each column that the query has."""
        return tuple((item.name, item.value.type, item.value.wild) for item in self.items)


def lower_clauses(rows: Rows, scope: SelectScope, groups: Groups) -> Clauses:
    """Lower the clauses after GROUP BY. What they ask of groups and windows, `scope` collects."""
    node = rows.node
    items = tuple(_item(scope, at) for at in range(len(rows.entries)))
    having = _having(node, scope, groups)
    ordering = Ordering(
        items, rows.entries, lambda n: lower(n, scope.context("ORDER BY")), lambda n: numbered_entry(n, rows.entries)
    )
    order, on = ordering.keys(node.args.get("order")), ordering.on(node)
    grouped = groups.grouped or bool(scope.aggregates.aggs) or bool(having)
    if not (grouped or node.args.get("order") or node.args.get("distinct")):
        order = ordering.inherited(rows.source.order)
    qualify = _qualify(node, scope)
    return Clauses(items, tuple(ordering.extra), having, qualify, order, tuple(on), grouped)


def _item(scope: SelectScope, at: int) -> Item:
    entry = scope.rows.entries[at]
    node = entry.this if isinstance(entry, exp.Alias) else entry
    value = scope.entry(at, at)
    if value.type == types.MONTHS:
        raise refused(node, "an interval with months has no length", "INTERVAL '30 days'")
    return Item(entry.alias or column_name(node), value, node)


def _having(node: exp.Select, scope: SelectScope, groups: Groups) -> tuple[Expr, ...]:
    clause = node.args.get("having")
    if clause is None:
        return ()
    context = scope.context("HAVING", keys=list(groups.exprs()))
    if clause.find(exp.Window):
        raise error(clause, f"a window function in HAVING: {short(clause.this)}", "QUALIFY filters by it")
    return rewrite.conjuncts(condition(clause.this, context, "HAVING"))


def _qualify(node: exp.Select, scope: SelectScope) -> tuple[Expr, ...]:
    clause = node.args.get("qualify")
    if clause is None:
        return ()
    tests = rewrite.conjuncts(condition(clause.this, scope.context("QUALIFY"), "QUALIFY"))
    if not scope.windows.found:
        raise error(clause, "QUALIFY needs a window function", "WHERE, or HAVING")
    return tests


def make_rows(rel: Rel, scope: SelectScope, clauses: Clauses) -> Rel:
    """The select list over the rows or groups, and over the window functions of these."""
    outputs = [value.expr for value in clauses.values()]

    def rows(columns: Sequence[Expr]) -> Rel:
        if clauses.grouped:
            return _make_groups(rel, scope, columns, clauses.having)
        return prune_columns(Map(rel, (), tuple(columns)))

    def turned(exprs: Sequence[Expr]) -> list[Expr]:
        return [over_groups(expr, scope.groups, scope.rows) for expr in exprs]

    windows = scope.windows
    if not windows.found:
        return rows(turned(outputs) if clauses.grouped else outputs)
    if scope.subqueries.found:
        raise refused(scope.rows.node, "window functions over groups beside a subquery are not supported")
    if not clauses.grouped:
        return windows.apply(rows, outputs, clauses.qualify)
    over = windows.over(lambda expr: over_groups(expr, scope.groups, scope.rows))
    return over.apply(rows, turned(outputs), turned(clauses.qualify))


def _make_groups(rel: Rel, scope: SelectScope, columns: Sequence[Expr], having: Sequence[Expr]) -> Rel:
    """`columns` over the keys and aggregates of the groups that HAVING leaves."""
    groups, rows, subqueries = scope.groups, scope.rows, scope.subqueries
    tests = tuple(over_groups(test, groups, rows) for test in having)
    whole = Aggregate(rel, groups.exprs(), tuple(scope.aggregates.aggs), tests, tuple(columns), groups.grand)
    if not subqueries.found:
        return over_sets(whole, groups.keys, groups.sets, columns) if groups.sets else prune_columns(whole)
    if groups.sets:
        raise refused(rows.node, "grouping sets beside a subquery are not supported", "a subquery in FROM")
    return subqueries.over(whole, rows.source, groups.keys, columns)


def make_distinct(rel: Rel, node: exp.Select, clauses: Clauses) -> Rel:
    """DISTINCT, or DISTINCT ON: the first row in the query's order of those that are equal."""
    clause = node.args.get("distinct")
    if not clause:
        return rel
    only(clause, "on")
    kinds = [value.type for value in clauses.values()]
    if any(kinds[at] == JSON for at in clauses.on or range(len(clauses.items))):
        raise refused(node, "json values cannot be compared", "data ->> 'field'")
    if clauses.on:
        return distinct_on(rel, len(kinds), clauses.on, clauses.order)
    if clauses.hidden:
        raise error(node.args["order"], "with DISTINCT, ORDER BY can only name selected columns")
    return distinct(rel, len(clauses.items))
