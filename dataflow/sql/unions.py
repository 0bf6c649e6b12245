"""UNION and UNION ALL: columns by position, in the types that both sides fit into, named by the first side."""

from __future__ import annotations

from sqlglot import exp

from dataflow.sql import types
from dataflow.sql.casts import Typed, to_type
from dataflow.sql.parse import error, only, refused, short
from dataflow.sql.plan import Aggregate, Col, Map, Order, Rel, Union
from dataflow.sql.relations import Lower, Names
from dataflow.sql.scope import Field, folded
from dataflow.sql.selected import Selected, limits, ordered
from dataflow.sql.types import JSON


def lower_union(node: exp.Union, names: Names, lower: Lower) -> Selected:
    only(node, "this", "expression", "distinct", "order", "limit", "offset", "with_")
    left, right = lower(node.this, names), lower(node.expression, names)
    if len(left.columns) != len(right.columns):
        raise error(node.expression, f"UNION of {len(left.columns)} and {len(right.columns)} columns")
    one, two = left.source("l"), right.source("r")
    pairs = [_union_column(a, b, node) for a, b in zip(one.fields, two.fields, strict=True)]
    rels = tuple(Map(s.rel, (), tuple(p[i].expr for p in pairs)) for i, s in enumerate((one, two)))
    columns = tuple((c[0], p[0].type, p[0].wild or p[1].wild) for c, p in zip(left.columns, pairs, strict=True))
    rel: Rel = Union(rels)
    if node.args.get("distinct"):
        if any(type == JSON for _, type, _ in columns):
            raise refused(node, "json values cannot be compared", "data ->> 'field'")
        keys = tuple(Col(i) for i in range(len(columns)))
        rel = Aggregate(rel, keys, (), (), keys)
    return Selected(rel, columns, _union_order(node, columns), *limits(node))


def _union_column(left: Field, right: Field, node: exp.Expr) -> tuple[Typed, Typed]:
    both = types.common(left.type, right.type)
    if both is None:
        (left_type, right_type) = types.spoken(left.type), types.spoken(right.type)
        raise error(node, f"UNION of {left_type} and {right_type} in column '{left.name}'", "cast one of them")
    return to_type(left.typed(), both, node), to_type(right.typed(), both, node)


def _union_order(node: exp.Expr, columns: tuple[tuple[str, str, bool], ...]) -> tuple[Order, ...]:
    clause = node.args.get("order")
    if clause is None:
        return ()
    names = [folded(name) for name, _, _ in columns]
    found = []
    for entry in ordered(clause, len(columns)):
        only(entry, "this", "desc", "nulls_first")
        inner = entry.this
        if isinstance(inner, exp.Literal) and inner.name.isdigit() and 1 <= int(inner.name) <= len(names):
            at = int(inner.name) - 1
        elif isinstance(inner, exp.Column) and folded(inner.name) in names:
            at = names.index(folded(inner.name))
        else:
            raise refused(entry, f"after UNION, ORDER BY can only name columns: {short(inner)}")
        if columns[at][1] == JSON:
            raise refused(entry, "json values have no order")
        found.append(Order(at, columns[at][1], bool(entry.args.get("desc")), bool(entry.args.get("nulls_first"))))
    return tuple(found)
