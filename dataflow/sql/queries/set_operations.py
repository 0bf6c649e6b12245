"""UNION, UNION ALL, EXCEPT and INTERSECT: columns by position, in the types that both sides fit into, named by the
first side.
"""

from __future__ import annotations

from sqlglot import exp

from dataflow.sql.expressions.casts import Typed, to_type
from dataflow.sql.expressions.scope import Field, Source, folded
from dataflow.sql.parsing.parse import error, only, refused, short
from dataflow.sql.plan import types
from dataflow.sql.plan.distinct import distinct, numbered
from dataflow.sql.plan.nodes import Call, Col, Expr, Join, Map, Order, Rel, Union
from dataflow.sql.plan.types import JSON
from dataflow.sql.queries.from_clause import Lower, Names
from dataflow.sql.queries.lowered_query import Selected, limits, ordered


def lower_union(node: exp.SetOperation, names: Names, lower: Lower) -> Selected:
    """Of a chain, which the parser nests to the left, the sides are lowered one after the other."""
    chain = [node]
    while isinstance(chain[-1].this, exp.SetOperation) and not any(map(chain[-1].this.args.get, OWN)):
        chain.append(chain[-1].this)
    found = lower(chain[-1].this, names)
    for each in reversed(chain):
        found = _united(each, found, lower(each.expression, names))
    return found


OWN = ("with_", "order", "limit", "offset")
"""Clauses by which a part of a chain is a query of its own."""


def _united(node: exp.SetOperation, left: Selected, right: Selected) -> Selected:
    only(node, "this", "expression", "distinct", "order", "limit", "offset", "with_")
    word = type(node).__name__.upper()
    if len(left.columns) != len(right.columns):
        raise error(node.expression, f"{word} of {len(left.columns)} and {len(right.columns)} columns")
    one, two = left.source("l"), right.source("r")
    pairs = [_column(a, b, node, word) for a, b in zip(one.fields, two.fields, strict=True)]
    rels = [_side(s, tuple([p[i].expr for p in pairs])) for i, s in enumerate((one, two))]
    columns = tuple((c[0], p[0].type, p[0].wild or p[1].wild) for c, p in zip(left.columns, pairs, strict=True))
    if any(type == JSON for _, type, _ in columns) and (node.args.get("distinct") or word != "UNION"):
        raise refused(node, "json values cannot be compared", "data ->> 'field'")
    return Selected(
        _combined(node, word, rels[0], rels[1], len(columns)), columns, _order(node, columns), *limits(node)
    )


def _side(source: Source, columns: tuple[Expr, ...]) -> Rel:
    """The rows of one side in the columns of both."""
    same = len(columns) == source.width and all(column == Col(at) for at, column in enumerate(columns))
    return source.rel if same else Map(source.rel, (), columns)


def _combined(node: exp.Expr, word: str, left: Rel, right: Rel, width: int) -> Rel:
    """EXCEPT and INTERSECT are joins in which NULL equals NULL: their keys are tuples, which never are NULL. With
    ALL, equal rows are told apart by a number, so that each meets one.
    """
    if word == "UNION":
        before = left.inputs if isinstance(left, Union) else (left,)
        both: Rel = Union((*before, right))
        return distinct(both, width) if node.args.get("distinct") else both
    kind = "anti" if word == "EXCEPT" else "semi"
    if node.args.get("distinct"):
        return distinct(_matched(kind, left, right, width), width)
    found = _matched(kind, numbered(left, width), numbered(right, width), width + 1)
    return Map(found, (), tuple(Col(i) for i in range(width)))


def _matched(kind: str, left: Rel, right: Rel, width: int) -> Rel:
    keys = tuple(Call("({0},)", (Col(i),), strict=False) for i in range(width))
    return Join(kind, left, right, keys, keys, (), (width, width))


def _column(left: Field, right: Field, node: exp.Expr, word: str) -> tuple[Typed, Typed]:
    both = types.common(left.type, right.type)
    if both is None:
        (left_type, right_type) = types.spoken(left.type), types.spoken(right.type)
        raise error(node, f"{word} of {left_type} and {right_type} in column '{left.name}'", "cast one of them")
    return to_type(left.typed(), both, node), to_type(right.typed(), both, node)


def _order(node: exp.Expr, columns: tuple[tuple[str, str, bool], ...]) -> tuple[Order, ...]:
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
            raise refused(entry, f"after UNION, EXCEPT or INTERSECT, ORDER BY can only name columns: {short(inner)}")
        if columns[at][1] == JSON:
            raise refused(entry, "json values have no order")
        found.append(Order(at, columns[at][1], bool(entry.args.get("desc")), bool(entry.args.get("nulls_first"))))
    return tuple(found)
