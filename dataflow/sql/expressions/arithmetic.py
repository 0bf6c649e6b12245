"""Arithmetic on numbers, times and intervals. An int meets a float as it is; decimals are ints of a scale."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from dataflow.sql.expressions import casts, times
from dataflow.sql.expressions.casts import Typed, cast, rescale
from dataflow.sql.expressions.logic import tame
from dataflow.sql.expressions.lower import Context, left_rule, lower, rule
from dataflow.sql.expressions.scope import ClockContext
from dataflow.sql.parsing.parse import error, only, refused, short
from dataflow.sql.plan import types
from dataflow.sql.plan.nodes import Call, Const
from dataflow.sql.plan.types import DATE, FLOAT, INT, INTERVAL, MONTHS, NULL, TIMES

SYMBOLS: dict[type[exp.Expr], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.IntDiv: "//",
    exp.Mod: "%",
}


@left_rule(*SYMBOLS)
def arithmetic(node: exp.Expr, left: Typed, context: Context) -> Typed:
    only(node, "this", "expression", "typed", "safe")
    right = lower(node.expression, context)
    symbol = SYMBOLS[type(node)]
    timed = _time_arithmetic(symbol, left, right, node, bounded=not isinstance(context, ClockContext))
    if timed is not None:
        return timed
    left, right = (cast(v, INT, node) if v.type == NULL else v for v in (left, right))
    if not (types.is_number(left.type) and types.is_number(right.type)):
        form = f"{types.spoken(left.type)} {symbol} {types.spoken(right.type)}"
        raise error(node, f"{form} does not exist: {short(node)}", "cast one of them, or join text with ||")
    return ARITHMETIC[symbol](left, right, node)


def _time_arithmetic(symbol: str, left: Typed, right: Typed, node: exp.Expr, *, bounded: bool) -> Typed | None:
    spans = (INTERVAL, MONTHS)
    if symbol == "+" and left.type in spans and right.type in TIMES:
        left, right = right, left
    pair = (left.type, right.type)
    if symbol in "+-" and left.type in TIMES and right.type in spans:
        return times.shift(left, right, 1 if symbol == "+" else -1, node, bounded=bounded)
    if symbol == "-" and pair == (DATE, DATE):
        return Typed(Call("(({0} - {1}) // DAY)", (left.expr, right.expr)), INT)
    if symbol == "-" and left.type in TIMES and right.type in TIMES:
        return _apart("({0} - {1})", left, right)
    if symbol in "+-" and pair == (DATE, INT):
        code = f"day_moved({{0}}, {'-' * (symbol == '-')}{{1}})"
        return Typed(Call(code, (left.expr, right.expr), nullable=True), DATE)
    if symbol == "*" and MONTHS in pair:
        return times.months_times(left, right) or times.months_times(right, left)
    if NULL in pair and symbol in "+-" and (set(pair) & TIMES) and pair[0] != pair[1]:
        return _unknown_time(symbol, left, right)
    if (symbol in "+-" and pair == (INTERVAL, INTERVAL)) or (
        symbol == "*" and pair in ((INTERVAL, INT), (INT, INTERVAL))
    ):
        return _apart(f"({{0}} {symbol} {{1}})", left, right)
    return None


def _apart(code: str, left: Typed, right: Typed) -> Typed:
    """An interval; NULL beyond 64 bits."""
    return Typed(Call(times.APART % code, (left.expr, right.expr), nullable=True), INTERVAL)


def _unknown_time(symbol: str, left: Typed, right: Typed) -> Typed:
    """NULL added to a time, or subtracted: what comes of an interval."""
    return cast(Typed(Const(None, NULL), NULL), left.type if left.type in TIMES else right.type, exp.Null())


def _linear(symbol: str) -> Callable[[Typed, Typed, exp.Expr], Typed]:
    def apply(left: Typed, right: Typed, node: exp.Expr) -> Typed:
        code, wild = f"({{0}} {symbol} {{1}})", left.wild or right.wild
        kind = types.wide(types.common(left.type, right.type) or INT)
        if symbol != "*" or kind == FLOAT:
            left, right = _level(left, kind), _level(right, kind)
        else:
            return _multiply(left, right)
        return Typed(Call(f"one_nan{code}" if wild else code, (left.expr, right.expr)), kind, wild or kind == FLOAT)

    return apply


def _multiply(left: Typed, right: Typed) -> Typed:
    """Whole numbers and decimals. What is beyond 128 bits is NULL."""
    digits = types.scale(left.type) + types.scale(right.type)
    bare = types.is_bare(left.type) and types.is_bare(right.type)
    kind = INT if left.type == right.type == INT else types.decimal(digits, bare=bare)
    if left.literal or right.literal:
        return Typed(Call("({0} * {1})", (left.expr, right.expr)), kind)
    return Typed(Call("int_multiply({0}, {1})", (left.expr, right.expr), nullable=True), kind)


def _level(value: Typed, kind: str) -> Typed:
    """A number made ready to meet `kind`; Python adds an int to a float by itself."""
    if value.type == kind or (kind == FLOAT and value.type == INT and not value.literal):
        return value
    return rescale(value, kind)


def _divide(left: Typed, right: Typed, node: exp.Expr) -> Typed:
    left, right = _level(left, FLOAT), _level(right, FLOAT)
    if tame(right) and right.constant:
        code, wild = "one_nan({0} / {1})" if left.wild else "({0} / {1})", left.wild or abs(right.constant) < 1
        return Typed(Call(code, (left.expr, right.expr)), FLOAT, wild)
    return Typed(Call("divide({0}, {1})", (left.expr, right.expr)), FLOAT, True)


def _int_divide(left: Typed, right: Typed, node: exp.Expr) -> Typed:
    if (left.type, right.type) != (INT, INT):
        raise refused(node, f"// divides whole numbers: {short(node)}", "floor(a / b)")
    return Typed(Call("int_divide({0}, {1})", (left.expr, right.expr), nullable=right.constant in (None, 0, -1)), INT)


def _modulo(left: Typed, right: Typed, node: exp.Expr) -> Typed:
    kind = types.common(left.type, right.type) or INT
    left, right = (rescale(v, kind) if v.type != kind else v for v in (left, right))
    code = "float_modulo({0}, {1})" if kind == FLOAT else "int_modulo({0}, {1})"
    return Typed(Call(code, (left.expr, right.expr), nullable=kind != FLOAT), kind, kind == FLOAT)


ARITHMETIC = {"+": _linear("+"), "-": _linear("-"), "*": _linear("*"), "/": _divide, "//": _int_divide, "%": _modulo}


@rule(exp.Neg)
def negative(node: exp.Expr, context: Context) -> Typed:
    value = lower(node.this, context)
    if not types.is_number(value.type) and value.type not in (INTERVAL, NULL):
        raise error(node, f"minus {types.spoken(value.type)} does not exist: {short(node)}")
    code = "one_nan(-{0})" if value.wild else "(-{0})"
    return Typed(casts.fold(Call(code, (value.expr,)), value.type), value.type, value.wild)
