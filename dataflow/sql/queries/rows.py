"""The rows of a SELECT: its FROM, the values of its subqueries joined on, and its WHERE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from sqlglot import exp

from dataflow.sql.errors import SqlError
from dataflow.sql.expressions import aggregates
from dataflow.sql.expressions.casts import Typed
from dataflow.sql.expressions.lower import condition
from dataflow.sql.expressions.scope import RowContext, Source, folded, resolve
from dataflow.sql.parsing.parse import error, short
from dataflow.sql.plan import rewrite
from dataflow.sql.plan.nodes import Expr, Rel, Values
from dataflow.sql.plan.push_filters import FilterPusher
from dataflow.sql.queries.from_clause import Lower, Names, lower_from
from dataflow.sql.queries.join_subqueries import move_subqueries_to_where
from dataflow.sql.queries.select_list import expand_star
from dataflow.sql.queries.subqueries import Membership, Nested, membership, scalars
from dataflow.sql.queries.temporal import asks_time, temporal, where_parts


class Rows(NamedTuple):
    """The rows that a SELECT is over, and its select list, stars written out.

    By their nodes' ids, `values` are the subqueries that have been joined on, and `applied` the conditions of WHERE
    that the rows have passed. `waiting` are the subqueries that are joined to the groups instead.
    """

    node: exp.Select
    entries: tuple[exp.Expr, ...]
    source: Source
    values: Mapping[int, Typed] = {}
    applied: frozenset[int] = frozenset()
    waiting: tuple[exp.Expr, ...] = ()

    def holds_aggregate(self) -> bool:
        """Whether an aggregate stands in the select list."""
        return any(aggregates.holds(entry) for entry in self.entries)

    def is_column(self, node: exp.Column) -> bool:
        return resolve(node, self.source) is not None


def from_rows(node: exp.Select, names: Names, lower_query: Lower, pusher: FilterPusher) -> Rows:
    """FROM. Moves the subqueries of its joins into WHERE."""
    move_subqueries_to_where(node)
    clause = node.args.get("from_")
    if clause is None:
        source = Source(Values(((),)), (), 0)
    else:
        source = lower_from(clause, node.args.get("joins") or [], names, lower_query, pusher)
    if not node.expressions:
        raise error(node, "nothing is selected", "SELECT *")
    return Rows(node, tuple(entry for each in node.expressions for entry in expand_star(each, source)), source)


def join_subqueries(rows: Rows, nested: Nested, pusher: FilterPusher) -> Rows:
    """Join the values of scalar subqueries to every row, and leave those that are for the groups waiting."""
    node = rows.node
    where = node.args.get("where")
    listed = [*node.expressions, *(node.args.get(name) for name in ("having", "order", "qualify"))]
    selected = list(scalars(*listed))
    parts = where_parts(where.this) if where is not None else ()
    filtering = [inner for part in parts for inner in scalars(*_value_parts(part))]
    if filtering or selected:
        rows = _filter_plainly(rows, parts, pusher)
    waiting = _group_subqueries(rows, selected)
    later = {id(each) for each in waiting}
    source, values = rows.source, dict(rows.values)
    for each in (*filtering, *selected):
        if id(each) not in later:
            source, values[id(each)] = nested.scalar(each, source)
    return rows._replace(source=source, values=values, waiting=tuple(waiting))


def _value_parts(part: exp.Expr) -> tuple[exp.Expr | None, ...]:
    """What of a condition may hold subqueries that are values: EXISTS and IN by themselves are joins."""
    member = membership(part)
    return (part,) if member is None else (member.value,)


def _filter_plainly(rows: Rows, parts: Sequence[exp.Expr], pusher: FilterPusher) -> Rows:
    """Apply what WHERE asks of the rows alone, so that subqueries are asked for the rows that are left."""
    source, applied = rows.source, set(rows.applied)
    for part in parts:
        if part.find(exp.Query, exp.AggFunc) or asks_time(part):
            continue
        with suppress(SqlError):  # it names an alias, or is wrong, which WHERE itself says
            test = condition(part, RowContext(source, "WHERE"), "WHERE")
            source = source._replace(rel=pusher.filter(source.rel, test))
            applied.add(id(part))
    return rows._replace(source=source, applied=frozenset(applied))


def _group_subqueries(rows: Rows, selected: Sequence[exp.Expr]) -> list[exp.Expr]:
    """The subqueries of a grouped SELECT that are asked for its groups."""
    if not (rows.node.args.get("group") or rows.holds_aggregate()):
        return []
    keyed = {id(each) for each in scalars(*_keyed_entries(rows))}
    return [each for each in selected if id(each) not in keyed and not aggregates.inside_one(each, rows.node)]


def _keyed_entries(rows: Rows) -> list[exp.Expr]:
    """The entries of the select list that GROUP BY names: they are asked for the rows."""
    clause = rows.node.args.get("group")
    if clause is None or clause.args.get("all"):
        return [entry for entry in rows.entries if clause is not None and not aggregates.holds(entry)]
    columns = clause.find_all(exp.Column)
    named = {folded(column.name) for column in columns if not column.table and not rows.is_column(column)}
    named |= {number.name for number in clause.find_all(exp.Literal) if not number.is_string}
    return [entry for at, entry in enumerate(rows.entries, 1) if named & {folded(entry.alias), str(at)}]


def filter_rows(rows: Rows, context: RowContext, nested: Nested, pusher: FilterPusher) -> Rel:
    """WHERE: tests of the rows first, then of other queries, then of the clock."""
    clause, rel = rows.node.args.get("where"), rows.source.rel
    if clause is None:
        return rel
    timed: list[tuple[Typed, str, Typed]] = []
    members: list[Membership] = []
    tests: list[Expr] = []
    for part in where_parts(clause.this):
        if id(part) in rows.applied:
            continue
        if aggregates.holds(part):
            raise error(part, f"an aggregate in WHERE: {short(part)}", "HAVING filters groups")
        member = membership(part)
        if member is not None:
            members.append(member)
        elif asks_time(part):
            timed += temporal(part, context)
        else:
            tests += rewrite.conjuncts(condition(part, context, "WHERE"))
    rel = pusher.filter_all(rel, tests)
    for member in members:
        rel = nested.filtered(rows.source._replace(rel=rel), member)
    for value, op, bound in timed:
        rel = pusher.timed(rel, value.expr, op, bound.expr)
    return rel
