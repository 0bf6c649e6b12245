"""Subqueries in WHERE and in expressions, as joins.

- EXISTS and IN are semi joins, NOT EXISTS is an anti join. An inner query that is a plain SELECT may name the outer
  query's columns.
- NOT IN is an anti join that also counts the inner query's rows and NULLs. Without rows it is true for all, with a NULL
  among them for none, and for a NULL on its left only where there are no rows.
- A subquery that stands for a value is an aggregate (`expressions/subquery_aggregates.py`). One of its own is a grand
  aggregate, which always has exactly one row, joined to every row. One that names the outer query's columns is a group
  for each of their values (`correlated.py`).

A subquery's own conditions may hold subqueries in their turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlglot import exp

from dataflow.sql.expressions import aggregates
from dataflow.sql.expressions.casts import Typed, meet
from dataflow.sql.expressions.logic import compare
from dataflow.sql.expressions.lower import condition, lower
from dataflow.sql.expressions.scope import RowContext, Source
from dataflow.sql.expressions.subquery_aggregates import (
    ROWS,
    SubqueryAggregate,
    existing,
    is_plain,
    is_quantified,
    is_query,
    subquery_aggregate,
)
from dataflow.sql.parsing.parse import error, only, refused, short
from dataflow.sql.plan import rewrite, types
from dataflow.sql.plan.nodes import (
    Agg,
    Aggregate,
    And,
    Call,
    Case,
    Coalesce,
    Col,
    Const,
    Expr,
    IsNull,
    Join,
    Map,
    Not,
    Or,
    Rel,
    Values,
)  # fmt: skip
from dataflow.sql.plan.prune_columns import prune_columns
from dataflow.sql.plan.push_filters import FilterPusher
from dataflow.sql.plan.types import BOOL, INT, JSON, MONTHS
from dataflow.sql.queries.correlated import Correlated, CorrelatedValue, correlated_value, join_correlated
from dataflow.sql.queries.from_clause import Lower, Names, join_sources, lower_from
from dataflow.sql.queries.join_subqueries import move_subqueries_to_where
from dataflow.sql.queries.temporal import asks_time, temporal, where_parts


class Membership(NamedTuple):
    """A condition on another query: EXISTS (value None) or IN, perhaps turned by NOT."""

    query: exp.Expr
    value: exp.Expr | None
    negated: bool


def membership(node: exp.Expr) -> Membership | None:
    """What the condition asks of another query, if it is of that form."""
    negated = False
    while isinstance(node, exp.Paren | exp.Not):
        negated ^= isinstance(node, exp.Not)
        node = node.this
    if isinstance(node, exp.EQ) and isinstance(node.expression, exp.Any) and is_query(node.expression):
        return Membership(node.expression.this, node.this, negated)
    if isinstance(node, exp.NEQ) and isinstance(node.expression, exp.All) and is_query(node.expression):
        return Membership(node.expression.this, node.this, not negated)
    if isinstance(node, exp.Exists):
        only(node, "this")
        return Membership(existing(node), None, negated)
    if isinstance(node, exp.In) and node.args.get("query") is not None:
        only(node, "this", "query")
        return Membership(node.args["query"], node.this, negated)
    return None


class Nested:
    """Lowers the conditions on other queries that stand in one SELECT."""

    def __init__(self, names: Names, lower_query: Lower, pusher: FilterPusher) -> None:
        self.names = names
        self.lower_query = lower_query
        self.pusher = pusher

    def filtered(self, outer: Source, asked: Membership) -> Rel:
        """The outer rows for which the condition holds."""
        query = asked.query.this if isinstance(asked.query, exp.Subquery) else asked.query
        inner, tests, item = self._plain(query, outer) if is_plain(query) else self._whole(query, outer)
        if asked.value is None:
            return self._join(outer, inner, tests, negated=asked.negated)
        if isinstance(asked.value, exp.Tuple):
            return self._tuple_in(outer, query, asked)
        value = lower(asked.value, RowContext(outer, "WHERE"))
        if item is None:
            raise error(asked.query, "the query after IN must have one column")
        equal = compare("eq", value, item, asked.value)
        if not asked.negated:
            return self._join(outer, inner, [*tests, equal], negated=False)
        if _names_outer(tests, outer):
            return self._not_among(outer, asked)
        for test in tests:
            inner = inner._replace(rel=self.pusher.filter(inner.rel, rewrite.shifted(test, -outer.width)))
        return self._not_in(outer, inner, value, rewrite.shifted(item.expr, -outer.width), equal)

    def _tuple_in(self, outer: Source, query: exp.Expr, asked: Membership) -> Rel:
        """(a, b) IN (SELECT x, y …), or NOT IN."""
        assert asked.value is not None
        inner = self.lower_query(query, self.names).source("subquery")
        given = asked.value.expressions
        if len(inner.fields) != len(given):
            raise error(asked.query, f"the query after IN must have {len(given)} columns")
        tests: list[Expr] = []
        for part, field in zip(given, inner.fields, strict=True):
            theirs = Typed(Col(outer.width + field.at), field.type, field.wild)
            tests.append(compare("eq", lower(part, RowContext(outer, "WHERE")), theirs, part))
        if asked.negated:  # no row may be equal, nor be equal for all that is known
            tests = [Coalesce((test, Const(True, BOOL))) for test in tests]
        return self._join(outer, inner, tests, negated=asked.negated)

    def _plain(self, query: exp.Expr, outer: Source) -> tuple[Source, list[Expr], Typed | None]:
        """A SELECT whose conditions become the join's. Its one item is over the outer and the inner row."""
        inner, tests, values = self._conditions(query, outer)
        return inner, tests, self._item(query, Correlated(outer, inner, subquery=values.get))

    def _conditions(self, query: exp.Expr, outer: Source) -> tuple[Source, list[Expr], dict[int, Typed]]:
        """The FROM of a SELECT and its conditions, these over the outer and the inner row; and the values of its own
        subqueries, by node.
        """
        move_subqueries_to_where(query)
        clause = query.args.get("where")
        parts = where_parts(clause.this) if clause is not None else []
        inner, values = self._inner(query, parts)
        context = Correlated(outer, inner, subquery=values.get)
        tests: list[Expr] = []
        for part in parts:
            if membership(part) is not None:
                continue
            if asks_time(part):
                for value, op, bound in temporal(part, RowContext(inner, "WHERE")):
                    inner = inner._replace(rel=self.pusher.timed(inner.rel, value.expr, op, bound.expr))
            else:
                tests += rewrite.conjuncts(condition(part, context, "WHERE"))
        return inner, tests, values

    def _inner(self, query: exp.Expr, parts: list[exp.Expr]) -> tuple[Source, dict[int, Typed]]:
        """The FROM of a SELECT with the subqueries that its own conditions ask."""
        source = query.args.get("from_")
        if source is None:
            inner = Source(Values(((),)), (), 0)
        else:
            inner = lower_from(source, query.args.get("joins") or [], self.names, self.lower_query, self.pusher)
        values: dict[int, Typed] = {}
        for part in parts:
            found = membership(part)
            if found is not None:
                inner = inner._replace(rel=self.filtered(inner, found))
                continue
            for node in scalars(part):
                inner, values[id(node)] = self.scalar(node, inner)
        for node in scalars(*query.expressions):
            inner, values[id(node)] = self.scalar(node, inner)
        return inner, values

    def _item(self, query: exp.Expr, context: Correlated) -> Typed | None:
        items = query.expressions
        if len(items) != 1 or isinstance(items[0], exp.Star):
            return None
        return lower(items[0].this if isinstance(items[0], exp.Alias) else items[0], context)

    def _whole(self, query: exp.Expr, outer: Source) -> tuple[Source, list[Expr], Typed | None]:
        """Any other query, which stands for itself."""
        inner = self.lower_query(query, self.names).source("subquery")
        field = inner.fields[0]
        item = Typed(Col(outer.width + field.at), field.type, field.wild) if len(inner.fields) == 1 else None
        return inner, [], item

    def _join(self, outer: Source, inner: Source, tests: list[Expr], *, negated: bool) -> Rel:
        return join_sources(outer, inner, "anti" if negated else "semi", tests, {}, self.pusher).rel

    def _not_in(self, outer: Source, inner: Source, value: Typed, item: Expr, equal: Expr) -> Rel:
        width = outer.width
        anti = self._join(outer, inner, [equal], negated=True)
        counts = (Agg("count"), Agg("count", (item,)))
        sizes = prune_columns(Aggregate(inner.rel, (), counts, (), (Col(0), Col(1)), grand=True))
        both = Join("inner", anti, sizes, (), (), (), (width, 2))
        empty = Call("{0} == {1}", (Col(width), Const(0, "int")))
        known = Call("{0} == {1}", (Col(width), Col(width + 1)))
        passes = Or((empty, And((known, Not(IsNull(value.expr))))))
        return Map(both, (passes,), tuple(Col(i) for i in range(width)))

    def _not_among(self, outer: Source, asked: Membership) -> Rel:
        """NOT IN of a query that names the outer query's columns: asked as a value."""
        source, value = self.scalar(exp.In(this=asked.value, query=asked.query), outer)
        rel = self.pusher.filter(source.rel, Not(value.expr))
        return Map(rel, (), tuple(Col(i) for i in range(outer.width)))

    def scalar(self, node: exp.Expr, source: Source) -> tuple[Source, Typed]:
        """The source with the subquery's value joined on, and that value."""
        query = node.this if isinstance(node, exp.Subquery) else None
        if isinstance(query, exp.Query) and not is_plain(query, aggregated=True):
            whole = self._one_row(query, source)
            if whole is not None:
                return whole
        if id(node) not in self.names.subquery_aggregates:
            self.names.subquery_aggregates[id(node)] = node, subquery_aggregate(node)
        return self._asked(node, self.names.subquery_aggregates[id(node)][1], source)

    def _among(self, node: exp.In, given: Typed, source: Source) -> tuple[Source, Typed]:
        """IN, as a value, of a query of its own: joined with its distinct values, and with how many it has."""
        found = self.lower_query(node.args["query"], self.names)
        if len(found.columns) != 1:
            raise error(node, "the query after IN must have one column")
        inner = found.source("subquery")
        (ours, theirs), kind = meet([given, inner.fields[0].typed()], node, "comparison")
        if kind in (JSON, MONTHS):
            raise refused(node, f"{types.spoken(kind)} values cannot be compared: {short(node)}")
        values = Aggregate(inner.rel, (theirs.expr,), (), (), (Col(0),))
        counts = (Agg("count"), Agg("count", (theirs.expr,)))
        sizes = prune_columns(Aggregate(inner.rel, (), counts, (), (Col(0), Col(1)), grand=True))
        at = source.width
        rel = Join("left", source.rel, values, (ours.expr,), (Col(0),), (), (at, 1))
        both = Join("inner", rel, sizes, (), (), (), (at + 1, 2))
        empty = Call("{0} == {1}", (Col(at + 1), Const(0, INT)))
        unsure = Or((IsNull(ours.expr), Call("{0} < {1}", (Col(at + 2), Col(at + 1)))))
        whens = ((Not(IsNull(Col(at))), _bool(True)), (empty, _bool(False)), (unsure, _bool(None)))
        return source._replace(rel=both, width=at + 3), Typed(Case(whens, _bool(False)), BOOL)

    def _one_row(self, query: exp.Expr, source: Source) -> tuple[Source, Typed] | None:
        """The value of a query that always has exactly one row by itself, such as SELECT sum(x) + 1."""
        only_row = isinstance(query, exp.Select) and not any(
            query.args.get(clause) for clause in ("group", "having", "qualify", "limit", "offset")
        )
        if not only_row or not any(aggregates.holds(item) for item in query.expressions):
            return None
        return self._beside(query, source)

    def _beside(self, query: exp.Expr, source: Source) -> tuple[Source, Typed]:
        """A grand aggregate of its own, joined to every row."""
        found = self.lower_query(query, self.names)
        if len(found.columns) != 1:
            raise refused(query, f"a subquery here must have one column: {short(query)}")
        _, type, wild = found.columns[0]
        inner = found.source("subquery")
        joined = Join("inner", source.rel, inner.rel, (), (), (), (source.width, inner.width))
        value = Typed(Col(source.width), type, wild)
        return source._replace(rel=joined, width=source.width + inner.width), value

    def _asked(self, node: exp.Expr, found: SubqueryAggregate, source: Source) -> tuple[Source, Typed]:
        if found.given is not None and aggregates.holds(found.given):
            hint = "group in a subquery in FROM first"
            raise refused(node, f"an aggregate is not compared with a subquery's rows: {short(node)}", hint)
        given = None if found.given is None else lower(found.given, RowContext(source, "WHERE"))
        inner, tests, values = self._conditions(found.query, source)
        wide = not isinstance(node, exp.Exists) and sum(field.table == ROWS for field in inner.fields) > 1
        if wide or len(found.query.expressions) != 1:
            raise refused(node, f"a subquery here must have one column: {short(node)}")
        item = found.query.expressions[0]
        context = Correlated(source, inner, given=given, subquery=values.get)
        value = correlated_value(item.this if isinstance(item, exp.Alias) else item, context, tests)
        _check_columns(node, value, context)
        if not value.read and given is None:
            return self._beside(found.query, source)
        if isinstance(node, exp.In) and given is not None and not _names_outer(tests, source):
            return self._among(node, given, source)
        return join_correlated(node, value, source, inner, self.pusher)


def _check_columns(node: exp.Expr, found: CorrelatedValue, context: Correlated) -> None:
    """An aggregate of the outer query's columns alone would be the outer query's; and EXISTS names columns too."""
    query = node.this.unnest() if isinstance(node, exp.Subquery | exp.Exists) else None
    if isinstance(node, exp.Exists) and isinstance(query, exp.Select):
        for item in query.expressions:
            for column in item.find_all(exp.Column) if item.find(exp.Query) is None and not item.is_star else ():
                context.column(column)
    if isinstance(node, exp.Subquery) and query is not None and is_plain(query, aggregated=True):
        for agg in found.aggs:
            read = rewrite.columns(*agg.args)
            if read and max(read) < context.outer.width:
                raise refused(node, f"an aggregate of the outer query's columns: {short(node)}", "aggregate first")


def _bool(value: bool | None) -> Const:
    return Const(value, BOOL)


def _names_outer(tests: list[Expr], outer: Source) -> bool:
    return any(column < outer.width for test in tests for column in rewrite.columns(test))


def scalars(*nodes: exp.Expr | None) -> Iterator[exp.Expr]:
    """The subqueries that are values in a SELECT's own clauses, outermost only."""
    waiting = [node for node in reversed(nodes) if node is not None]
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.Subquery | exp.Exists) or is_quantified(node):
            yield node
        elif not isinstance(node, exp.Query):
            waiting += reversed([*node.iter_expressions()])
