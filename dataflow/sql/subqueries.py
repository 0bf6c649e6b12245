"""Subqueries in WHERE and in expressions, as joins.

EXISTS and IN are semi joins, NOT EXISTS an anti join; an inner query that is a plain SELECT may name the outer
query's columns. NOT IN is an anti join that also asks how many rows the inner query has and how many of them are
NULL: with no rows it is true for all, with a NULL among them for none, and for a NULL on its left only where there
are no rows. A scalar subquery is a grand aggregate, which always has exactly one row, joined to every row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlglot import exp

from dataflow.sql import aggregates, shape
from dataflow.sql.casts import Typed
from dataflow.sql.correlated import correlated, outer_columns
from dataflow.sql.expressions import condition, lower
from dataflow.sql.logic import compare
from dataflow.sql.parse import error, only, refused, short
from dataflow.sql.placing import Shaper
from dataflow.sql.plan import Agg, Aggregate, And, Call, Col, Const, Expr, IsNull, Join, Map, Not, Or, Rel
from dataflow.sql.relations import Lower, Names, join_sources, lower_from
from dataflow.sql.scope import RowContext, Source, resolve, unknown
from dataflow.sql.temporal import asks_time, temporal, where_parts
from dataflow.sql.types import BOOL, INT

PLAIN = frozenset({"expressions", "from_", "joins", "where", "kind", "hint"})


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
    if isinstance(node, exp.EQ) and isinstance(node.expression, exp.Any):
        return _among(node, negated)
    if isinstance(node, exp.NEQ) and isinstance(node.expression, exp.All):
        return _among(node, not negated)
    if isinstance(node, exp.Exists):
        only(node, "this")
        return Membership(node.this, None, negated)
    if isinstance(node, exp.In) and node.args.get("query") is not None:
        only(node, "this", "query")
        return Membership(node.args["query"], node.this, negated)
    return None


def _among(node: exp.Expr, negated: bool) -> Membership | None:
    """`= ANY (…)` is IN, and `<> ALL (…)` is NOT IN."""
    query = node.expression.this
    return Membership(query, node.this, negated) if isinstance(query, exp.Query) else None


class Nested:
    """Lowers the conditions on other queries that stand in one SELECT."""

    def __init__(self, names: Names, lower_query: Lower, shaper: Shaper) -> None:
        self.names = names
        self.lower_query = lower_query
        self.shaper = shaper

    def filtered(self, outer: Source, asked: Membership) -> Rel:
        """The outer rows for which the condition holds."""
        query = asked.query.this if isinstance(asked.query, exp.Subquery) else asked.query
        inner, tests, item = self._plain(query, outer) if _is_plain(query) else self._whole(query, outer)
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
        if any(column < outer.width for test in tests for column in shape.columns(test)):
            raise refused(asked.query, "NOT IN with the outer query's columns is not supported", "NOT EXISTS")
        for test in tests:
            inner = inner._replace(rel=self.shaper.filter(inner.rel, shape.shifted(test, -outer.width)))
        return self._not_in(outer, inner, value, shape.shifted(item.expr, -outer.width), equal)

    def _tuple_in(self, outer: Source, query: exp.Expr, asked: Membership) -> Rel:
        """(a, b) IN (SELECT x, y …)."""
        assert asked.value is not None
        if asked.negated:
            raise refused(asked.value, f"{short(asked.value)} NOT IN is not supported", "NOT EXISTS")
        inner = self.lower_query(query, self.names).source("subquery")
        given = asked.value.expressions
        if len(inner.fields) != len(given):
            raise error(asked.query, f"the query after IN must have {len(given)} columns")
        tests = []
        for part, field in zip(given, inner.fields, strict=True):
            theirs = Typed(Col(outer.width + field.at), field.type, field.wild)
            tests.append(compare("eq", lower(part, RowContext(outer, "WHERE")), theirs, part))
        return self._join(outer, inner, tests, negated=False)

    def _plain(self, query: exp.Expr, outer: Source) -> tuple[Source, list[Expr], Typed | None]:
        """A SELECT whose conditions become the join's. Its one item is over the outer and the inner row."""
        inner, tests = self._conditions(query, outer)
        return inner, tests, self._item(query, _Correlated(outer, inner))

    def _conditions(self, query: exp.Expr, outer: Source) -> tuple[Source, list[Expr]]:
        """The FROM of a SELECT and its conditions, these over the outer and the inner row."""
        inner = lower_from(
            query.args["from_"], query.args.get("joins") or [], self.names, self.lower_query, self.shaper
        )
        context = _Correlated(outer, inner)
        tests: list[Expr] = []
        clause = query.args.get("where")
        for part in where_parts(clause.this) if clause is not None else ():
            if membership(part) is not None:
                raise refused(
                    part, f"a subquery in a subquery's WHERE is not supported: {short(part)}", "join them in FROM"
                )
            if asks_time(part):
                for value, op, bound in temporal(part, RowContext(inner, "WHERE")):
                    inner = inner._replace(rel=self.shaper.timed(inner.rel, value.expr, op, bound.expr))
            else:
                tests += shape.conjuncts(condition(part, context, "WHERE"))
        return inner, tests

    def _item(self, query: exp.Expr, context: _Correlated) -> Typed | None:
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
        return join_sources(outer, inner, "anti" if negated else "semi", tests, {}, self.shaper).rel

    def _not_in(self, outer: Source, inner: Source, value: Typed, item: Expr, equal: Expr) -> Rel:
        width = outer.width
        anti = self._join(outer, inner, [equal], negated=True)
        counts = (Agg("count"), Agg("count", (item,)))
        sizes = Aggregate(inner.rel, (), counts, (), (Col(0), Col(1)), grand=True)
        both = Join("inner", anti, sizes, (), (), (), (width, 2))
        empty = Call("{0} == {1}", (Col(width), Const(0, "int")))
        known = Call("{0} == {1}", (Col(width), Col(width + 1)))
        passes = Or((empty, And((known, Not(IsNull(value.expr))))))
        return Map(both, (passes,), tuple(Col(i) for i in range(width)))

    def scalar(self, node: exp.Expr, source: Source) -> tuple[Source, Typed]:
        """The source with the scalar subquery's value joined on, and that value."""
        if isinstance(node, exp.Exists):
            return self._exists(node, source)
        if _is_plain(node.this, aggregated=True) and len(node.this.expressions) == 1:
            inner, tests = self._conditions(node.this, source)
            if outer_columns(tests, source):
                item = node.this.expressions[0]
                item = item.this if isinstance(item, exp.Alias) else item
                return correlated(node, item, source, inner, tests, self.shaper)
        found = self.lower_query(node.this, self.names)
        rel = found.rel
        one_row = (
            isinstance(rel, Aggregate) and rel.grand and not rel.having and found.limit is None and not found.offset
        )
        if not one_row or len(found.columns) != 1:
            hint = "an aggregate without GROUP BY"
            raise refused(node, f"a subquery here must give exactly one value: {short(node)}", hint)
        _, type, wild = found.columns[0]
        inner = found.source("subquery")
        joined = Join("inner", source.rel, inner.rel, (), (), (), (source.width, inner.width))
        value = Typed(Col(source.width), type, wild)
        return source._replace(rel=joined, width=source.width + inner.width), value


    def _exists(self, node: exp.Expr, source: Source) -> tuple[Source, Typed]:
        """EXISTS as a value: whether there are any."""
        query = node.this.this if isinstance(node.this, exp.Subquery) else node.this
        if not _is_plain(query):
            raise refused(node, f"a subquery is not supported here: {short(node)}", "join it in FROM")
        counted = query.copy().select(exp.Count(this=exp.Star()), append=False)
        source, value = self.scalar(exp.Subquery(this=counted), source)
        return source, Typed(Call("{0} > {1}", (value.expr, Const(0, INT))), BOOL)


def _is_plain(query: exp.Expr, *, aggregated: bool = False) -> bool:
    """A SELECT of FROM and WHERE alone; `aggregated`: of aggregates, else of none."""
    if not isinstance(query, exp.Select) or query.args.get("from_") is None:
        return False
    said = {name for name, value in query.args.items() if value}
    return said <= PLAIN and all(aggregates.holds(item) is aggregated for item in query.expressions)


class _Correlated(RowContext):
    """Inside a subquery: its own columns first, then the outer query's. The row is the outer row, then the inner
    one.
    """

    def __init__(self, outer: Source, inner: Source) -> None:
        super().__init__(inner, "a subquery")
        self._outer = outer

    def column(self, node: exp.Column) -> Typed:
        found = resolve(node, self.source)
        if found is not None:
            return Typed(shape.shifted(found.expr, self._outer.width), found.type, found.wild)
        found = resolve(node, self._outer)
        if found is None:
            raise unknown(node, self.source)
        return found


def scalars(*nodes: exp.Expr | None) -> Iterator[exp.Expr]:
    """The subqueries that are values in a SELECT's own clauses, outermost only."""
    for node in nodes:
        if isinstance(node, exp.Subquery | exp.Exists):
            yield node
        elif (isinstance(node, exp.In) and node.args.get("query") is not None) or (
            isinstance(node, exp.Binary) and isinstance(node.expression, exp.Any | exp.All)
        ):
            yield from scalars(node.this)
        elif node is not None and not isinstance(node, exp.Query):
            yield from scalars(*node.iter_expressions())
