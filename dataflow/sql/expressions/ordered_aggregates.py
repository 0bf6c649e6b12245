"""Aggregates whose rows stand in an order: first, last, string_agg and lists.

The order is a tuple of sort keys, so that rows that come and go late still stand where they belong.
"""

from __future__ import annotations

from sqlglot import exp

from dataflow.sql.expressions.aggregates import RULES, Aggregates, Rule, comparable
from dataflow.sql.expressions.casts import Typed, cast
from dataflow.sql.expressions.lower import condition
from dataflow.sql.parsing.parse import error, only, refused, short
from dataflow.sql.plan import types
from dataflow.sql.plan.nodes import Agg, Call, Const, Expr
from dataflow.sql.plan.types import BOOL, FLOAT, INT, JSON, NULL, TEXT


def _end(kind: str) -> Rule:
    """first or last, NULLs among them: the value of the least or greatest key."""

    def apply(aggs: Aggregates, node: exp.Expr, where: Expr | None) -> Typed:
        only(node, "this")
        inner, keys = _ordered(aggs, node)
        value = aggs.value(inner)
        comparable(value, node)
        held = Call("flagged({0})", (value.expr,), strict=False)
        agg = aggs.add(Agg(kind, (held, keys), where))
        return Typed(Call("{0}[1]", (agg,), nullable=True), value.type, value.wild)

    return apply


def _once(inner: exp.Expr, order: exp.Expr, node: exp.Expr) -> tuple[exp.Expr, str]:
    """What stands after DISTINCT, and how the name of the function that tells it once ends."""
    if not isinstance(inner, exp.Distinct):
        return inner, ""
    only(inner, "expressions")
    item = inner.expressions[0]
    if len(inner.expressions) != 1 or any(by.this != item for by in order.expressions):
        raise refused(node, f"with DISTINCT, the order is by the values themselves: {short(node)}", "ORDER BY x")
    return item, "_once"


def _ordered(aggs: Aggregates, node: exp.Expr) -> tuple[exp.Expr, Expr]:
    """What stands before ORDER BY in an aggregate, and the key that rows are ordered by."""
    if not isinstance(node.this, exp.Order):
        hint = {"first": "earliest(x), or first(x ORDER BY y)", "last": "latest(x), or last(x ORDER BY y)"}
        example = hint.get(node.key, "string_agg(x, ', ' ORDER BY y)")
        raise refused(node, f"the rows need an ORDER BY: {short(node)}", example)
    keys = [aggs.value(by.this) for by in node.this.expressions]
    codes = []
    for at, (by, key) in enumerate(zip(node.this.expressions, keys, strict=True)):
        only(by, "this", "desc", "nulls_first")
        comparable(key, node)
        if key.literal:
            raise refused(node, f"a literal orders nothing: {short(node)}")
        codes.append(f"order_key({{{at}}}, {bool(by.args.get('desc'))}, {bool(by.args.get('nulls_first'))})")
    code = f"({', '.join(codes)},)"
    return node.this.this, Call(code, tuple(key.expr for key in keys), strict=False)


def string_agg(aggs: Aggregates, node: exp.Expr, where: Expr | None) -> Typed:
    only(node, "this", "separator")
    inner, keys = _ordered(aggs, node)
    inner, once = _once(inner, node.this, node)
    text, separator = cast(aggs.value(inner), TEXT, node), node.args.get("separator")
    mark = aggs.value(separator) if separator is not None else Typed(Const(",", TEXT), TEXT)
    if mark.type != TEXT or mark.constant is None:
        raise refused(node, f"string_agg needs its separator as a literal: {short(node)}", "', '")
    pair = Call("({0}, {1})", (keys, text.expr))
    values = aggs.add(Agg("values", (pair,), where))
    return Typed(Call(f"joined{once}({{0}}, {{1}})", (values, mark.expr), nullable=True), TEXT)


def listed(aggs: Aggregates, node: exp.Expr, where: Expr | None) -> Typed:
    """to_json(list(x ORDER BY y)): a JSON array, NULLs among its elements."""
    call = node.expressions[0]
    if where is not None:
        raise error(node, f"FILTER stands after list: {short(node)}", "to_json(list(x ORDER BY y) FILTER (WHERE …))")
    if isinstance(call, exp.Filter):
        where, call = condition(call.expression.this, aggs.rows, "FILTER"), call.this
    only(call, "this")
    inner, keys = _ordered(aggs, call)
    inner, once = _once(inner, call.this, node)
    value = aggs.value(inner)
    if value.type not in (INT, FLOAT, TEXT, BOOL, NULL):
        raise refused(node, f"a list of {types.spoken(value.type)} is not supported: {short(node)}", "cast it to text")
    text = Call("json_text({0})", (value.expr,), strict=False)
    values = aggs.add(Agg("values", (Call("({0}, {1})", (keys, text), strict=False),), where))
    return Typed(Call(f"listed{once}({{0}})", (values,), nullable=True), JSON)


RULES.update({"first": _end("arg_min"), "last": _end("arg_max"), "groupconcat": string_agg, "listed": listed})
