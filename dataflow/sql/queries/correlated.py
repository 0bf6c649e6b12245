"""A subquery that names the outer query's columns: `(SELECT agg(…) FROM inner WHERE inner.a < outer.b)`.

The distinct values of the outer columns that it reads are joined with the inner rows by its conditions, grouped by
those values, and the groups joined to the outer rows, in which NULL equals NULL. An outer row whose values have no
group gets what the aggregates give over no rows: 0 for a count, NULL for all else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlglot import exp

from dataflow.sql.expressions.aggregates import Aggregates
from dataflow.sql.expressions.casts import Typed
from dataflow.sql.expressions.lower import lower
from dataflow.sql.expressions.scope import RowContext, Source, resolve, unknown
from dataflow.sql.parsing.parse import GIVEN, refused, short
from dataflow.sql.plan import rewrite
from dataflow.sql.plan.nodes import Agg, Aggregate, AggregateSlot, Call, Case, Col, Const, Expr, IsNull, Join
from dataflow.sql.plan.prune_columns import prune_columns
from dataflow.sql.plan.push_filters import FilterPusher
from dataflow.sql.plan.types import BOOL, INT, NULL
from dataflow.sql.queries.from_clause import join_sources


class Correlated(RowContext):
    """Inside a subquery: its own columns first, then the outer query's. The row is the outer row, then the inner
    one. `given` is what the subquery is compared with, over the outer row.
    """

    def __init__(
        self,
        outer: Source,
        inner: Source,
        *,
        given: Typed | None = None,
        aggregate: Callable[[exp.Expr], Typed | None] | None = None,
        subquery: Callable[[int], Typed | None] | None = None,
    ) -> None:
        super().__init__(inner, "a subquery", aggregate=aggregate)
        self.outer = outer
        self.given = given
        self.known = subquery

    def column(self, node: exp.Column) -> Typed:
        if self.given is not None and node.name == GIVEN:
            return self.given
        found = resolve(node, self.source)
        if found is not None:
            return Typed(rewrite.shifted(found.expr, self.outer.width), found.type, found.wild)
        found = resolve(node, self.outer)
        if found is None:
            raise unknown(node, self.source)
        return found

    def subquery(self, node: exp.Expr) -> Typed:
        """The value of a subquery of the inner query's own."""
        found = self.known(id(node)) if self.known else None
        if found is None:
            return super().subquery(node)
        return Typed(rewrite.shifted(found.expr, self.outer.width), found.type, found.wild)


class CorrelatedValue(NamedTuple):
    """An aggregate over the inner rows for which `tests` are true. `value` is over the slots of the aggregates and over
    the outer row, as are the `aggs` and `tests`, these over the inner row too. `read` are the outer columns.
    """

    value: Typed
    aggs: tuple[Agg, ...]
    tests: tuple[Expr, ...]
    read: tuple[int, ...]


def correlated_value(item: exp.Expr, context: Correlated, tests: list[Expr]) -> CorrelatedValue:
    aggregates = Aggregates(context)
    given, known = context.given, context.known
    over = Correlated(context.outer, context.source, given=given, aggregate=aggregates.lower, subquery=known)
    value, aggs = lower(item, over), tuple(aggregates.aggs)
    parts = [part for agg in aggs for part in (*agg.args, agg.where) if part is not None]
    columns = rewrite.columns(value.expr, *parts, *tests)
    read = tuple(sorted(column for column in columns if column < context.outer.width))
    return CorrelatedValue(value, aggs, tuple(tests), read)


def join_correlated(
    node: exp.Expr, found: CorrelatedValue, outer: Source, inner: Source, pusher: FilterPusher
) -> tuple[Source, Typed]:
    """The outer source with the value joined on."""
    value, count = found.value, len(found.read)
    if value.type == NULL or any(outer.width <= at for at in rewrite.columns(value.expr)):
        raise refused(node, f"a subquery here must give exactly one value: {short(node)}", "an aggregate")

    def move(part: Expr) -> Expr | None:
        return _moved(part, found.read, outer.width)

    keys = tuple(map(Col, range(count)))
    values = prune_columns(Aggregate(outer.rel, tuple(map(Col, found.read)), (), (), keys))
    tests = [rewrite.replace(test, move) for test in found.tests]
    both = join_sources(Source(values, (), count), inner, "inner", tests, {}, pusher)
    aggs = tuple(_moved_agg(agg, move) for agg in found.aggs)
    columns = (*keys, rewrite.replace(value.expr, move), Const(True, BOOL))
    groups = prune_columns(Aggregate(both.rel, keys, aggs, (), columns))
    rel = Join("left", outer.rel, groups, _tuples(found.read), _tuples(range(count)), (), (outer.width, count + 2))
    at = outer.width + count
    nothing = rewrite.replace(value.expr, lambda e: _over_nothing(found.aggs, e))
    chosen = Case(((IsNull(Col(at + 1)), nothing),), Col(at))
    return outer._replace(rel=rel, width=at + 2), Typed(chosen, value.type, value.wild)


def _moved(part: Expr, read: tuple[int, ...], width: int) -> Expr | None:
    """A column as it is beside the distinct values: those, then the inner row, or the aggregates."""
    if isinstance(part, AggregateSlot):
        return Col(len(read) + part.n)
    if not isinstance(part, Col):
        return None
    return Col(read.index(part.index) if part.index < width else len(read) + part.index - width)


def _moved_agg(agg: Agg, move: Callable[[Expr], Expr | None]) -> Agg:
    where = None if agg.where is None else rewrite.replace(agg.where, move)
    return Agg(agg.kind, tuple(rewrite.replace(arg, move) for arg in agg.args), where, agg.distinct)


def _tuples(columns: tuple[int, ...] | range) -> tuple[Expr, ...]:
    """Keys that are never NULL, so that NULL meets NULL."""
    return tuple(Call("({0},)", (Col(column),), strict=False) for column in columns)


def _over_nothing(found: tuple[Agg, ...], part: Expr) -> Expr | None:
    if not isinstance(part, AggregateSlot):
        return None
    return Const(0, INT) if found[part.n].kind == "count" else Const(None, NULL)
