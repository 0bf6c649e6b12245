"""A scalar subquery that names the outer query's columns: `(SELECT agg(…) FROM inner WHERE inner.a < outer.b)`.

The distinct values of the outer columns that it reads are joined with the inner rows by its conditions, grouped by
those values, and the groups joined to the outer rows, in which NULL equals NULL. An outer row whose values have no
group gets what the aggregates give over no rows: 0 for a count, NULL for all else. EXISTS in an expression is
count(*) > 0.
"""

from __future__ import annotations

from sqlglot import exp

from dataflow.sql import shape
from dataflow.sql.aggregates import FIRST, Aggregates
from dataflow.sql.casts import Typed
from dataflow.sql.expressions import lower
from dataflow.sql.parse import refused, short
from dataflow.sql.placing import Shaper
from dataflow.sql.plan import Agg, Aggregate, Call, Case, Col, Const, Expr, IsNull, Join
from dataflow.sql.relations import join_sources
from dataflow.sql.scope import RowContext, Source
from dataflow.sql.types import BOOL, INT, NULL


def outer_columns(tests: list[Expr], outer: Source) -> list[int]:
    """The outer columns that the conditions read, in order."""
    return sorted({column for column in shape.columns(*tests) if column < outer.width})


def correlated(
    node: exp.Expr, item: exp.Expr, outer: Source, inner: Source, tests: list[Expr], shaper: Shaper
) -> tuple[Source, Typed]:
    """The outer source with the value joined on. `tests` are over the outer row and the inner one."""
    read = outer_columns(tests, outer)
    count = len(read)
    values = Aggregate(outer.rel, tuple(map(Col, read)), (), (), tuple(map(Col, range(count))))
    turned = [shape.replace(test, lambda e: _moved(e, read, outer.width)) for test in tests]
    both = join_sources(Source(values, (), count), inner, "inner", turned, {}, shaper)
    found, value = _value(node, item, both)
    keys = tuple(map(Col, range(count)))
    over = shape.replace(value.expr, lambda e: Col(count + e.index - FIRST) if isinstance(e, Col) else None)
    groups = Aggregate(both.rel, keys, found, (), (*keys, over, Const(True, BOOL)))
    rel = Join("left", outer.rel, groups, _tuples(read), _tuples(range(count)), (), (outer.width, count + 2))
    at = outer.width + count
    nothing = shape.replace(value.expr, lambda e: _over_nothing(found, e))
    chosen = Case(((IsNull(Col(at + 1)), nothing),), Col(at))
    return outer._replace(rel=rel, width=at + 2), Typed(chosen, value.type, value.wild)


def _moved(part: Expr, read: list[int], width: int) -> Expr | None:
    if not isinstance(part, Col):
        return None
    return Col(read.index(part.index) if part.index < width else len(read) + part.index - width)


def _value(node: exp.Expr, item: exp.Expr, both: Source) -> tuple[tuple[Agg, ...], Typed]:
    aggregates = Aggregates(RowContext(both, "a subquery"))
    value = lower(item, RowContext(both, "a subquery", aggregate=aggregates.lower))
    if any(column < FIRST for column in shape.columns(value.expr)) or value.type == NULL:
        raise refused(node, f"a subquery here must give exactly one value: {short(node)}", "an aggregate")
    return tuple(aggregates.found), value


def _tuples(columns: list[int] | range) -> tuple[Expr, ...]:
    """Keys that are never NULL, so that NULL meets NULL."""
    return tuple(Call("({0},)", (Col(column),), strict=False) for column in columns)


def _over_nothing(found: tuple[Agg, ...], part: Expr) -> Expr | None:
    if not isinstance(part, Col):
        return None
    return Const(0, INT) if found[part.index - FIRST].kind == "count" else Const(None, NULL)
