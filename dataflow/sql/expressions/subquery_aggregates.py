"""Subqueries that stand for a value, written as one aggregate: what `queries/subqueries.py` then joins to every row.

EXISTS is `count(*) > 0`. `x op ANY (…)`, and IN, which is `= ANY`, asks over all rows: true where one says true, else
NULL where one says NULL, else false; ALL turns that round. A scalar subquery is its value where there is at most one
row, and NULL where DuckDB would stop at several; with LIMIT 1 it is `first(x ORDER BY …)`. What is more than FROM and
WHERE stands in the new query's FROM.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlglot import exp

from dataflow.sql.expressions import aggregates
from dataflow.sql.parsing.parse import GIVEN, only

PLAIN = frozenset({"expressions", "from_", "joins", "where", "kind", "hint"})
ROWS = "\x00rows"
"""What the new query calls another query in its FROM."""


class SubqueryAggregate(NamedTuple):
    """A subquery as a SELECT of one aggregate, and what that is compared with."""

    query: exp.Select
    given: exp.Expr | None = None


def is_plain(query: exp.Expr, *, aggregated: bool = False) -> bool:
    """A SELECT of FROM and WHERE alone; `aggregated`: of aggregates, else of none."""
    if not isinstance(query, exp.Select):
        return False
    said = {name for name, value in query.args.items() if value}
    return said <= PLAIN and all(aggregates.holds(item) is aggregated for item in query.expressions)


def is_quantified(node: exp.Expr) -> bool:
    """IN, ANY or ALL of a query."""
    if isinstance(node, exp.In):
        return node.args.get("query") is not None
    return isinstance(node, exp.Binary) and isinstance(node.expression, exp.Any | exp.All) and is_query(node.expression)


def is_query(node: exp.Expr) -> bool:
    return isinstance(_bare(node.this), exp.Query)


def subquery_aggregate(node: exp.Expr) -> SubqueryAggregate:
    """The aggregate that a subquery, EXISTS, IN, ANY or ALL is. It stands where the node does."""
    found = _as_aggregate(node)
    if found.query.parent is None:
        found.query.parent = node
    return found


def _as_aggregate(node: exp.Expr) -> SubqueryAggregate:
    if isinstance(node, exp.Exists):
        return SubqueryAggregate(_exists(existing(node)))
    if isinstance(node, exp.In):
        only(node, "this", "query")
        compared = exp.EQ(this=_given(), expression=exp.Null())
        return SubqueryAggregate(_over(_bare(node.args["query"]), lambda item: _any(compared, item)), node.this)
    if isinstance(node, exp.Binary):
        asked = _any if isinstance(node.expression, exp.Any) else _all
        test = type(node)(this=_given(), expression=exp.Null())
        return SubqueryAggregate(_over(_bare(node.expression.this), lambda item: asked(test, item)), node.this)
    return SubqueryAggregate(_single(_bare(node)))


def existing(node: exp.Exists) -> exp.Expr:
    """The query after EXISTS; its order, and a LIMIT that leaves a row, change nothing."""
    query = _bare(node.this)
    limit, offset = query.args.get("limit"), query.args.get("offset")
    count = limit.expression.name if isinstance(limit, exp.Limit) else ""
    some = limit is None or (count.isdigit() and int(count) > 0) or isinstance(limit.expression, exp.Null)
    if not isinstance(query, exp.Select) or offset is not None or not some:
        return query
    for clause in ("order", "limit"):
        query.set(clause, None)
    return query


def _bare(node: exp.Expr) -> exp.Expr:
    """The query in its parentheses."""
    while isinstance(node, exp.Subquery | exp.Paren):
        node = node.this
    return node


def _count() -> exp.Expr:
    return exp.Count(this=exp.Star())


def _given() -> exp.Expr:
    return exp.Column(this=exp.to_identifier(GIVEN, quoted=True))


def _over(query: exp.Expr, build: Callable[[exp.Expr], exp.Expr]) -> exp.Select:
    """The aggregate that `build` makes of the query's one item, over the query's rows."""
    if is_plain(query) and len(query.expressions) == 1 and not query.expressions[0].is_star:
        item = query.expressions[0]
        plain: exp.Select = query.copy()  # type: ignore[assignment]
        return plain.select(build(item.this if isinstance(item, exp.Alias) else item), append=False, copy=False)
    name = exp.to_identifier("\x00value", quoted=True)
    alias = exp.TableAlias(this=exp.to_identifier(ROWS, quoted=True), columns=[name])
    rows = exp.Subquery(this=query.copy(), alias=alias)
    return exp.select(build(exp.Column(this=name.copy()))).from_(rows, copy=False)


def _exists(query: exp.Expr) -> exp.Select:
    """Whatever is selected."""
    there = exp.GT(this=_count(), expression=exp.Literal.number(0))
    if not is_plain(query):
        return _over(query, lambda _: there)
    plain: exp.Select = query.copy()  # type: ignore[assignment]
    return plain.select(there, append=False, copy=False)


def _any(compared: exp.Expr, item: exp.Expr) -> exp.Expr:
    test = _with(compared, item)
    found = exp.Is(this=exp.LogicalOr(this=test), expression=exp.true())
    return _verdict(found, test, settled=True)


def _all(compared: exp.Expr, item: exp.Expr) -> exp.Expr:
    test = _with(compared, item)
    broken = exp.Is(this=exp.LogicalAnd(this=test), expression=exp.false())
    return _verdict(broken, test, settled=False)


def _with(compared: exp.Expr, item: exp.Expr) -> exp.Expr:
    test = compared.copy()
    test.set("expression", exp.Paren(this=item.copy()))
    return test


def _verdict(decided: exp.Expr, test: exp.Expr, *, settled: bool) -> exp.Expr:
    """`settled` where one row decides; NULL where one row does not know; else the opposite."""
    unknown = exp.LT(this=exp.Count(this=test.copy()), expression=_count())
    ifs = [exp.If(this=decided, true=exp.convert(settled)), exp.If(this=unknown, true=exp.Null())]
    return exp.Case(ifs=ifs, default=exp.convert(not settled))


def _single(query: exp.Expr) -> exp.Select:
    if is_plain(query, aggregated=True):
        return query  # type: ignore[return-value]
    first = _first(query)
    return first if first is not None else _over(query, _only)


def _only(item: exp.Expr) -> exp.Expr:
    """The one value; NULL where there are several."""
    single = exp.LTE(this=_count(), expression=exp.Literal.number(1))
    return exp.Case(ifs=[exp.If(this=single, true=exp.Min(this=item.copy()))])


def _first(query: exp.Expr) -> exp.Select | None:
    """LIMIT 1 of rows in an order of columns."""
    limit, order = query.args.get("limit"), query.args.get("order")
    if not isinstance(query, exp.Select) or not isinstance(limit, exp.Limit) or order is None:
        return None
    if limit.expression.name != "1" or any(isinstance(by.this, exp.Literal | exp.Var) for by in order.expressions):
        return None
    rows = query.copy()
    rows.set("limit", None)
    rows.set("order", None)
    if not is_plain(rows) or len(rows.expressions) != 1 or isinstance(rows.expressions[0], exp.Alias | exp.Star):
        return None
    by = [part.copy() for part in order.expressions]
    return _over(rows, lambda item: exp.First(this=exp.Order(this=item.copy(), expressions=by)))
