"""Conditions: AND, OR, NOT, IS, comparisons, BETWEEN, IN, LIKE. NaN equals itself and is above every other number."""

from __future__ import annotations

import math

from sqlglot import exp

from dataflow.sql.expressions import casts
from dataflow.sql.expressions.casts import Typed, meet
from dataflow.sql.expressions.lower import Context, condition, lower, rule
from dataflow.sql.expressions.subquery_aggregates import is_quantified
from dataflow.sql.parsing.parse import error, only, refused, short
from dataflow.sql.plan import types
from dataflow.sql.plan.nodes import And, Call, Const, Expr, IsNull, Not, Or, Pool
from dataflow.sql.plan.types import BOOL, FLOAT, JSON, MONTHS, NULL, TEXT


@rule(exp.And, exp.Or)
def connective(node: exp.Expr, context: Context) -> Typed:
    word = "AND" if isinstance(node, exp.And) else "OR"
    sides = [condition(side, context, f"both sides of {word}") for side in _sides(node)]
    kind = And if isinstance(node, exp.And) else Or
    flat = [part for side in sides for part in (side.args if isinstance(side, kind) else (side,))]
    return Typed(kind(tuple(flat)), BOOL)


def _sides(node: exp.Expr) -> list[exp.Expr]:
    """What the same word joins, in order."""
    found: list[exp.Expr] = []
    part = node
    while type(part) is type(node):
        only(part, "this", "expression")
        found.append(part.expression)
        part = part.this
    return [part, *reversed(found)]


@rule(exp.Not)
def negation(node: exp.Expr, context: Context) -> Typed:
    return Typed(Not(condition(node.this, context, "what NOT turns")), BOOL)


@rule(exp.Is)
def is_(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression")
    value, other = lower(node.this, context), node.expression
    if isinstance(other, exp.Null):
        return Typed(IsNull(value.expr), BOOL)
    if not isinstance(other, exp.Boolean) or value.type not in (BOOL, NULL):
        raise refused(node, f"IS takes NULL, or TRUE and FALSE for a bool: {short(node)}", "IS NOT DISTINCT FROM")
    return Typed(casts.fold(Call(f"({{0}} is {bool(other.this)})", (value.expr,), strict=False), BOOL), BOOL)


# comparison

LESS = {"lt": ("{0} < {1}", "not {1} <= {0}", "({0} < {1} or ({1} != {1} and {0} == {0}))"),
        "le": ("{0} <= {1}", "not {1} < {0}", "({0} <= {1} or {1} != {1})"),
        "eq": ("{0} == {1}", "{0} == {1}", "({0} == {1} or ({0} != {0} and {1} != {1}))")}  # fmt: skip
"""By what is known not to be NaN: the right side, the left side, neither. NaN equals itself and is above all else."""

COMPARISONS: dict[type[exp.Expr], tuple[str, bool, bool]] = {exp.EQ: ("eq", False, False),
exp.NEQ: ("eq", False, True), exp.LT: ("lt", False, False),
               exp.LTE: ("le", False, False), exp.GT: ("lt", True, False), exp.GTE: ("le", True, False)}  # fmt: skip
"""Node to relation, whether the sides swap, whether the result turns."""


@rule(*COMPARISONS)
def comparison(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression")
    if is_quantified(node):
        return context.subquery(node)
    if type(node.this) in COMPARISONS or type(node.expression) in COMPARISONS:
        raise error(node, f"comparisons in a row need parentheses: {short(node)}", "a < b AND b < c")
    if isinstance(node.this, exp.Tuple) and isinstance(node, exp.EQ | exp.NEQ):
        same = _alike(node.this, node.expression, context)
        return Typed(same if isinstance(node, exp.EQ) else Not(same), BOOL)
    name, swap, turn = COMPARISONS[type(node)]
    left, right = lower(node.this, context), lower(node.expression, context)
    found = compare(name, *((right, left) if swap else (left, right)), node)
    return Typed(Not(found), BOOL) if turn else Typed(found, BOOL)


def compare(name: str, left: Typed, right: Typed, node: exp.Expr) -> Expr:
    """lt, le or eq."""
    (left, right), kind = meet([left, right], node, "comparison")
    if kind in (JSON, MONTHS):
        raise refused(node, f"{types.spoken(kind)} values cannot be compared: {short(node)}", "data ->> 'field'")
    if kind == NULL:
        return Const(None, BOOL)
    which = 0 if kind != FLOAT or tame(right) else 1 if tame(left) else 2
    return Call(LESS[name][which], (left.expr, right.expr))


def _same(left: Typed, right: Typed, node: exp.Expr) -> Expr:
    """Equal, or both NULL."""
    (left, right), kind = meet([left, right], node, "comparison")
    if kind in (JSON, MONTHS):
        raise refused(node, f"{types.spoken(kind)} values cannot be compared: {short(node)}", "data ->> 'field'")
    return Call(LESS["eq"][2 if kind == FLOAT else 0], (left.expr, right.expr), strict=False)


def _alike(node: exp.Expr, other: exp.Expr, context: Context) -> Expr:
    """Two rows of values in parentheses, each the same as its partner: in rows NULL equals NULL, as in DuckDB."""
    if not isinstance(other, exp.Tuple) or len(other.expressions) != len(node.expressions):
        raise error(other, f"{short(node)} is compared with as many values in parentheses")
    pairs = zip(node.expressions, other.expressions, strict=True)
    return And(tuple(_same(lower(one, context), lower(two, context), node) for one, two in pairs))


def tame(value: Typed) -> bool:
    """A literal number."""
    return isinstance(value.constant, int | float) and not math.isnan(value.constant)


@rule(exp.NullSafeEQ, exp.NullSafeNEQ)
def distinct_from(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression")
    same = _same(lower(node.this, context), lower(node.expression, context), node)
    return Typed(Not(same) if isinstance(node, exp.NullSafeNEQ) else same, BOOL)


@rule(exp.Between)
def between(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "low", "high")
    value, low, high = (lower(node.args[part], context) for part in ("this", "low", "high"))
    (value, low, high), _ = meet([value, low, high], node, "comparison")
    return Typed(And((compare("le", low, value, node), compare("le", value, high, node))), BOOL)


@rule(exp.In)
def in_(node: exp.Expr, context: Context) -> Typed:
    if node.args.get("query") is not None:
        return context.subquery(node)
    only(node, "this", "expressions")
    if not node.expressions:
        raise refused(node, f"IN needs values: {short(node)}")
    if isinstance(node.this, exp.Tuple):
        return Typed(Or(tuple(_alike(node.this, other, context) for other in node.expressions)), BOOL)
    values, kind = meet([lower(n, context) for n in (node.this, *node.expressions)], node, "comparison")
    if kind in (JSON, MONTHS):
        raise refused(node, f"{types.spoken(kind)} values cannot be compared: {short(node)}")
    left, rest = values[0], values[1:]
    found = [v.constant for v in rest if v.constant is not None]
    if all(v.literal for v in rest):
        code = "{0} in {1}" if len(found) == len(rest) else "(True if {0} in {1} else None)"
        return Typed(Call(code, (left.expr, Pool(tuple(found))), nullable=len(found) < len(rest)), BOOL)
    return Typed(Or(tuple(compare("eq", left, v, node) for v in rest)), BOOL)


@rule(exp.Like, exp.ILike)
def like(node: exp.Expr, context: Context) -> Typed:
    return _like(node, context, "")


def _like(node: exp.Expr, context: Context, escape: str) -> Typed:
    only(node, "this", "expression", "negate")
    value, pattern = lower(node.this, context), lower(node.expression, context)
    if {value.type, pattern.type} - {TEXT, NULL}:
        raise error(node, f"LIKE compares text: {short(node)}", "CAST(… AS TEXT)")
    name = "ilike" if isinstance(node, exp.ILike) else "like"
    found = Call(f"{name}({{0}}, {{1}}, {escape!r})", (value.expr, pattern.expr), nullable=True)
    return Typed(Not(found) if node.args.get("negate") else found, BOOL)


@rule(exp.Escape)
def escaped(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression")
    mark, known = lower(node.expression, context), type(node.this) in (exp.Like, exp.ILike)
    if known and mark.type == NULL:
        _like(node.this, context, "")
        return Typed(Const(None, BOOL), BOOL)
    char = mark.constant if mark.type == TEXT else None
    if not known or char is None or len(char) > 1 or not char.isascii() or char in ("{", "}"):
        raise refused(node, f"ESCAPE takes one character of ASCII after LIKE: {short(node)}")
    return _like(node.this, context, char)
