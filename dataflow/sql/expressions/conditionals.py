"""Expressions that choose one of several values: coalesce, nullif, CASE, if, greatest, least."""

from __future__ import annotations

from sqlglot import exp

from dataflow.sql.expressions.casts import Typed, meet
from dataflow.sql.expressions.logic import compare
from dataflow.sql.expressions.lower import Context, condition, lower, rule
from dataflow.sql.parsing.parse import only, refused, short
from dataflow.sql.plan import types
from dataflow.sql.plan.nodes import Call, Case, Coalesce, Const, Expr
from dataflow.sql.plan.types import JSON, MONTHS, NULL


@rule(exp.Coalesce)
def coalesce(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expressions")
    values, kind = meet([lower(n, context) for n in (node.this, *node.expressions)], node, "coalesce")
    return Typed(Coalesce(tuple(v.expr for v in values)), kind, any(v.wild for v in values))


@rule(exp.Nullif)
def nullif(node: exp.Expr, context: Context) -> Typed:
    value, other = lower(node.this, context), lower(node.expression, context)
    same = compare("eq", value, other, node)
    return Typed(Case(((same, Const(None, value.type)),), value.expr), value.type, value.wild)


@rule(exp.Case)
def case(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "ifs", "default")
    whens = [_when(node.this, branch, context) for branch in node.args["ifs"]]
    default = node.args.get("default")
    return _choice(node, whens, [b.args["true"] for b in node.args["ifs"]], default, context)


def _when(subject: exp.Expr | None, branch: exp.Expr, context: Context) -> Expr:
    if subject is None:
        return condition(branch.this, context, "WHEN")
    return compare("eq", lower(subject, context), lower(branch.this, context), branch)


def _choice(
    node: exp.Expr, whens: list[Expr], results: list[exp.Expr], default: exp.Expr | None, context: Context
) -> Typed:
    values = [lower(n, context) for n in results]
    values.append(lower(default, context) if default is not None else Typed(Const(None, NULL), NULL))
    values, kind = meet(values, node, "CASE")
    pairs = tuple((when, value.expr) for when, value in zip(whens, values, strict=False))
    return Typed(Case(pairs, values[-1].expr), kind, any(v.wild for v in values))


@rule(exp.If)
def if_(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "true", "false")
    when = condition(node.this, context, "what IF asks")
    return _choice(node, [when], [node.args["true"]], node.args.get("false"), context)


@rule(exp.Greatest, exp.Least)
def extreme(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expressions", "ignore_nulls")
    values, kind = meet([lower(n, context) for n in (node.this, *node.expressions)], node, "comparison")
    if kind in (JSON, MONTHS):
        raise refused(node, f"{types.spoken(kind)} values cannot be compared: {short(node)}")
    name = "greatest" if isinstance(node, exp.Greatest) else "least"
    slots = ", ".join(f"{{{i}}}" for i in range(len(values)))
    exprs = tuple(v.expr for v in values)
    return Typed(Call(f"{name}({slots})", exprs, strict=False, nullable=True), kind, any(v.wild for v in values))
