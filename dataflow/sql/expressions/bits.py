"""Bits of whole numbers: << >> ~ hex, bin. All whole numbers are of one type here, but these ask how many bits DuckDB
gives a number: it is 64, or what a cast beside it says; where that is not to be seen, it is refused.
"""

from __future__ import annotations

from sqlglot import exp

from dataflow.sql.expressions import casts, functions
from dataflow.sql.expressions.arithmetic import SYMBOLS
from dataflow.sql.expressions.casts import Typed, cast
from dataflow.sql.expressions.lower import Context, lower, named, rule
from dataflow.sql.parsing.parse import error, refused, short
from dataflow.sql.plan.nodes import Call
from dataflow.sql.plan.types import INT, NULL, TEXT

TIGHTER: tuple[type[exp.Expr], ...] = (*SYMBOLS, exp.Pow)
LONG = casts.RANGES["BIGINT"]
Limits = tuple[int, int]


def limits_of(node: exp.Expr) -> Limits | None:
    """What DuckDB's type of a whole number holds; None for a literal, which takes another's type. Refused where there
    are literals, casts or sums, whose types are not followed, in something larger.
    """
    inner = node.unnest()
    if isinstance(inner, exp.Literal) or (isinstance(inner, exp.Neg) and isinstance(inner.this, exp.Literal)):
        return None
    if isinstance(inner, exp.Cast | exp.TryCast) and casts.named(inner.args["to"]) in casts.RANGES:
        return casts.RANGES[casts.named(inner.args["to"])]
    if inner.find(exp.Cast, exp.TryCast, exp.Sum, exp.Query) or not inner.find(exp.Column):
        raise refused(node, f"how many bits has {short(node)}?", f"CAST({short(node)} AS BIGINT)")
    return LONG


def _whole(node: exp.Expr, context: Context) -> Typed:
    value = lower(node, context)
    if value.type == NULL:
        return cast(value, INT, node)
    if value.type != INT:
        raise error(node, f"a whole number is needed: {short(node)}")
    return value


@rule(exp.BitwiseLeftShift, exp.BitwiseRightShift)
def shifted(node: exp.Expr, context: Context) -> Typed:
    sides = [node.this, node.expression]
    held = [each for each in map(limits_of, sides) if each is not None] or [casts.RANGES["INT"]]
    least, most = min(each[0] for each in held), max(each[1] for each in held)
    if len(set(held)) > 1 and 0 in {each[0] for each in held}:
        raise refused(node, f"bits with and without a sign: {short(node)}", "cast both to BIGINT")
    value, by = (_whole(side, context) for side in sides)
    name = "shift_left" if isinstance(node, exp.BitwiseLeftShift) else "shift_right"
    code = f"{name}({{0}}, {{1}}, {(most - least).bit_length()}, {most})"
    return Typed(Call(code, (value.expr, by.expr), nullable=True), INT)


@rule(exp.BitwiseNot)
def turned(node: exp.Expr, context: Context) -> Typed:
    """In DuckDB ~ binds less than + and *, in the parser more: what is meant has to be written."""
    part: exp.Expr = node
    owner = node.parent
    while isinstance(owner, (exp.BitwiseNot, exp.Neg)) or (isinstance(owner, TIGHTER) and owner.this is not part):
        part, owner = owner, owner.parent
    if isinstance(owner, TIGHTER):
        raise refused(node, f"~ needs parentheses here: {short(owner)}", "(~a) + b, or ~(a + b)")
    if any(casts.named(cast.args["to"]).startswith("U") for cast in node.find_all(exp.Cast, exp.TryCast)):
        raise refused(node, f"~ of a number without a sign: {short(node)}", "cast it to BIGINT")
    return functions.call("~", [lower(node.this, context)], node)


@named("hex", "to_hex", "bin", "to_binary")
def digits(node: exp.Expr, context: Context) -> Typed:
    if len(node.expressions) == 1:
        return _digits(node.expressions[0], "hex" if "hex" in node.name.lower() else "bin", node, context)
    return functions.call(node.name.lower(), [lower(part, context) for part in node.expressions], node)


@rule(exp.Hex)
def hexadecimal(node: exp.Expr, context: Context) -> Typed:
    return _digits(node.this, "hex", node, context)


def _digits(part: exp.Expr, name: str, node: exp.Expr, context: Context) -> Typed:
    value = lower(part, context)
    if value.type != TEXT and not isinstance(part, exp.Literal):
        held = limits_of(part) or LONG
        if held[1] > 2**64:
            raise refused(node, f"of 128 bits: {short(node)}", f"CAST({short(part)} AS BIGINT)")
    return functions.call(name, [value], node)
