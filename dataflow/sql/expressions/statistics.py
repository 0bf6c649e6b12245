"""Aggregates that need all values of a group, each with how often it is there: quantiles, the most frequent, products,
bits, and measures of two columns. Their values are told by `statistics.py` when the group is put out.
"""

from __future__ import annotations

from sqlglot import exp

from dataflow.sql.expressions.aggregates import RULES, Aggregates, Rule, comparable, number, quantile_part, single
from dataflow.sql.expressions.casts import Typed, cast, rescale
from dataflow.sql.parsing.parse import error, only, refused, short
from dataflow.sql.plan import types
from dataflow.sql.plan.nodes import Agg, Call, Expr
from dataflow.sql.plan.types import FLOAT, INT, NULL


def _held(aggs: Aggregates, value: Typed, where: Expr | None) -> Expr:
    return aggs.add(Agg("values", (value.expr,), where))


def mode(aggs: Aggregates, node: exp.Expr, where: Expr | None) -> Typed:
    value, _ = single(aggs, node)
    comparable(value, node)
    return Typed(Call("most_frequent({0})", (_held(aggs, value, where),), nullable=True), value.type, value.wild)


def quantile_disc(aggs: Aggregates, node: exp.Expr, where: Expr | None) -> Typed:
    part = quantile_part(node)
    value, distinct = single(aggs, node, "expression")
    comparable(value, node)
    if distinct:
        raise refused(node, f"{short(node)} of DISTINCT is not supported")
    return Typed(
        Call(f"quantile_disc({{0}}, {part}, False)", (_held(aggs, value, where),), nullable=True),
        value.type,
        value.wild,
    )


def within_group(aggs: Aggregates, node: exp.Expr, where: Expr | None) -> Typed:
    """percentile_cont(p) WITHIN GROUP (ORDER BY x), and mode()."""
    call, order = node.this, node.expression
    if not isinstance(order, exp.Order) or len(order.expressions) != 1:
        raise refused(node, f"one ORDER BY is needed: {short(node)}")
    by = order.expressions[0]
    if isinstance(call, exp.Mode):
        return mode(aggs, exp.Mode(this=by.this), where)
    if not isinstance(call, exp.PercentileCont | exp.PercentileDisc):
        raise refused(node, f"{short(node)} is not supported", "quantile_cont(x, 0.9)")
    part = quantile_part(type(call)(this=by.this, expression=call.this))
    if isinstance(call, exp.PercentileCont):
        part = 1 - part if by.args.get("desc") else part
        asked = exp.PercentileCont(this=by.this, expression=exp.Literal.number(part))
        return RULES["percentilecont"](aggs, asked, where)
    value = aggs.value(by.this)
    comparable(value, node)
    code = f"quantile_disc({{0}}, {part}, {bool(by.args.get('desc'))})"
    return Typed(Call(code, (_held(aggs, value, where),), nullable=True), value.type, value.wild)


def product(aggs: Aggregates, node: exp.Expr, where: Expr | None) -> Typed:
    if len(node.expressions) != 1 or isinstance(node.expressions[0], exp.Distinct):
        raise refused(node, f"product takes one expression: {short(node)}")
    value = aggs.value(node.expressions[0])
    value = cast(value, INT, node) if value.type == NULL else value
    if not types.is_number(value.type):
        raise error(node, f"product needs numbers, not {types.spoken(value.type)}: {short(node)}")
    value = cast(value, FLOAT, node) if types.is_decimal(value.type) else value
    return Typed(Call("product({0})", (_held(aggs, value, where),), nullable=True), FLOAT, True)


def _bits(name: str) -> Rule:
    def apply(aggs: Aggregates, node: exp.Expr, where: Expr | None) -> Typed:
        value, distinct = single(aggs, node)
        value = cast(value, INT, node) if value.type == NULL else value
        if value.type != INT:
            raise error(node, f"{short(node)} takes whole numbers, not {types.spoken(value.type)}")
        own = "odd_bits_once" if distinct and name == "odd_bits" else name
        return Typed(Call(f"{own}({{0}})", (_held(aggs, value, where),), nullable=True), INT)

    return apply


def _paired(name: str, result: str = FLOAT) -> Rule:
    """Of the pairs in which both are known."""

    def apply(aggs: Aggregates, node: exp.Expr, where: Expr | None) -> Typed:
        only(node, "this", "expression")
        one, two = (number(aggs.value(part), node) for part in (node.this, node.expression))
        one, two = (rescale(value, FLOAT) if types.is_decimal(value.type) else value for value in (one, two))
        pair = Call("({0}, {1})", (one.expr, two.expr))
        values = aggs.add(Agg("values", (pair,), where))
        return Typed(Call(f"{name}({{0}})", (values,), nullable=True), result, result == FLOAT)

    return apply


RULES.update({
    "mode": mode, "percentiledisc": quantile_disc, "withingroup": within_group, "product": product,
    "bitwiseandagg": _bits("all_bits"), "bitwiseoragg": _bits("any_bits"), "bitwisexoragg": _bits("odd_bits"),
    "corr": _paired("corr"), "covarpop": _paired("covar_pop"), "covarsamp": _paired("covar_samp"),
    "regrslope": _paired("regr_slope"), "regrintercept": _paired("regr_intercept"), "regrr2": _paired("regr_r2"),
    "regrcount": _paired("regr_count", INT), "regravgx": _paired("regr_avgx"), "regravgy": _paired("regr_avgy"),
})  # fmt: skip
