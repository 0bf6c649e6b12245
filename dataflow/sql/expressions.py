"""Scalar expressions: sqlglot's nodes to typed plan expressions, one rule a node class. A node without a rule is refused.

A rule gets the node and a `Context`, which says what columns, aggregates, subqueries and `now()` mean where the expression stands.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

from sqlglot import exp

from dataflow.sql import casts, functions, times, types
from dataflow.sql.casts import Typed, cast, meet, rescale
from dataflow.sql.parse import error, only, refused, short
from dataflow.sql.plan import And, Call, Case, Coalesce, Col, Const, Expr, IsNull, Not, Or, Pool
from dataflow.sql.types import BOOL, DATE, FLOAT, INT, INTERVAL, JSON, LOCAL, MONTHS, NULL, TEXT, TIMES, TIMESTAMP


class Context(Protocol):
    """Where an expression stands."""

    def column(self, node: exp.Column) -> Typed: ...

    def aggregate(self, node: exp.Expression) -> Typed | None:
        """The aggregate that `node` is; None if it is none. Raises SqlError where aggregates cannot be."""

    def now(self, node: exp.Expression) -> Typed: ...

    def subquery(self, node: exp.Expression) -> Typed: ...


Rule = Callable[[exp.Expression, Context], Typed]
RULES: dict[type[exp.Expression], Rule] = {}


def rule(*kinds: type[exp.Expression]) -> Callable[[Rule], Rule]:
    def note(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(kinds, function))
        return function

    return note


def lower(node: exp.Expression, context: Context) -> Typed:
    """The one entry: any scalar expression."""
    found = context.aggregate(node)
    if found is not None:
        return found
    if type(node) in functions.CLASSES:
        return _catalogued(node, context)
    known = RULES.get(type(node))
    if known is None:
        raise refused(node, f"{_called(node)} is not supported: {short(node)}")
    return known(node, context)


def condition(node: exp.Expression, context: Context, where: str) -> Expr:
    """A boolean."""
    value = lower(node, context)
    if value.type == NULL:
        return Const(None, BOOL)
    if value.type != BOOL:
        raise error(node, f"{where} must be true or false, not {types.spoken(value.type)}: {short(node)}")
    return value.expr


def _called(node: exp.Expression) -> str:
    if isinstance(node, exp.Func):
        return f"function '{node.sql_name().lower()}'"
    return type(node).__name__


def _catalogued(node: exp.Expression, context: Context) -> Typed:
    name, parts = functions.CLASSES[type(node)]
    only(node, *parts)
    args = [node.args[part] for part in parts if node.args.get(part) is not None]
    return functions.call(name, [lower(arg, context) for arg in args], node)


# literals and names


@rule(exp.Literal)
def literal(node: exp.Expression, context: Context) -> Typed:
    text = node.name
    if node.args.get("is_string"):
        return Typed(Const(text, TEXT), TEXT)
    if "e" in text.lower():
        return Typed(Const(float(text), FLOAT), FLOAT)
    if "." in text:
        number = Decimal(text)
        digits = max(-int(number.as_tuple().exponent), 0)
        return Typed(Const(int(number.scaleb(digits)), types.decimal(digits)), types.decimal(digits))
    return Typed(Const(int(text), INT), INT)


@rule(exp.Boolean)
def boolean(node: exp.Expression, context: Context) -> Typed:
    return Typed(Const(bool(node.this), BOOL), BOOL)


@rule(exp.Null)
def null(node: exp.Expression, context: Context) -> Typed:
    return Typed(Const(None, NULL), NULL)


@rule(exp.Interval)
def interval(node: exp.Expression, context: Context) -> Typed:
    assert isinstance(node, exp.Interval)
    return times.interval(node)


@rule(exp.Column)
def column(node: exp.Expression, context: Context) -> Typed:
    assert isinstance(node, exp.Column)
    return context.column(node)


@rule(exp.Paren)
def paren(node: exp.Expression, context: Context) -> Typed:
    return lower(node.this, context)


@rule(exp.Subquery, exp.Exists)
def subquery(node: exp.Expression, context: Context) -> Typed:
    return context.subquery(node)


# logic


@rule(exp.And, exp.Or)
def connective(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "expression")
    word = "AND" if isinstance(node, exp.And) else "OR"
    sides = [condition(side, context, f"both sides of {word}") for side in (node.this, node.expression)]
    kind = And if isinstance(node, exp.And) else Or
    flat = [part for side in sides for part in (side.args if isinstance(side, kind) else (side,))]
    return Typed(kind(tuple(flat)), BOOL)


@rule(exp.Not)
def negation(node: exp.Expression, context: Context) -> Typed:
    return Typed(Not(condition(node.this, context, "what NOT turns")), BOOL)


@rule(exp.Is)
def is_(node: exp.Expression, context: Context) -> Typed:
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

COMPARISONS = {exp.EQ: ("eq", False, False), exp.NEQ: ("eq", False, True), exp.LT: ("lt", False, False),
               exp.LTE: ("le", False, False), exp.GT: ("lt", True, False), exp.GTE: ("le", True, False)}  # fmt: skip
"""Node to relation, whether the sides swap, whether the result turns."""


@rule(*COMPARISONS)
def comparison(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "expression")
    name, swap, turn = COMPARISONS[type(node)]
    left, right = lower(node.this, context), lower(node.expression, context)
    found = compare(name, *((right, left) if swap else (left, right)), node)
    return Typed(Not(found), BOOL) if turn else Typed(found, BOOL)


def compare(name: str, left: Typed, right: Typed, node: exp.Expression) -> Expr:
    """lt, le or eq."""
    (left, right), kind = meet([left, right], node, "comparison")
    if kind in (JSON, MONTHS):
        raise refused(node, f"{types.spoken(kind)} values cannot be compared: {short(node)}", "data ->> 'field'")
    if kind == NULL:
        return Const(None, BOOL)
    which = 0 if kind != FLOAT or tame(right) else 1 if tame(left) else 2
    return Call(LESS[name][which], (left.expr, right.expr))


def tame(value: Typed) -> bool:
    """A literal number."""
    return isinstance(value.constant, int | float) and not math.isnan(value.constant)


@rule(exp.NullSafeEQ, exp.NullSafeNEQ)
def distinct_from(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "expression")
    (left, right), kind = meet([lower(node.this, context), lower(node.expression, context)], node, "comparison")
    code = LESS["eq"][2 if kind == FLOAT else 0]
    same = Call(code, (left.expr, right.expr), strict=False)
    return Typed(Not(same) if isinstance(node, exp.NullSafeNEQ) else same, BOOL)


@rule(exp.Between)
def between(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "low", "high")
    value, low, high = (lower(node.args[part], context) for part in ("this", "low", "high"))
    (value, low, high), _ = meet([value, low, high], node, "comparison")
    return Typed(And((compare("le", low, value, node), compare("le", value, high, node))), BOOL)


@rule(exp.In)
def in_(node: exp.Expression, context: Context) -> Typed:
    if node.args.get("query") is not None:
        return context.subquery(node)
    only(node, "this", "expressions")
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
def like(node: exp.Expression, context: Context, escape: str = "") -> Typed:
    only(node, "this", "expression", "negate")
    value, pattern = lower(node.this, context), lower(node.expression, context)
    if {value.type, pattern.type} - {TEXT, NULL}:
        raise error(node, f"LIKE compares text: {short(node)}", "CAST(… AS TEXT)")
    name = "ilike" if isinstance(node, exp.ILike) else "like"
    found = Call(f"{name}({{0}}, {{1}}, {escape!r})", (value.expr, pattern.expr))
    return Typed(Not(found) if node.args.get("negate") else found, BOOL)


@rule(exp.Escape)
def escaped(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "expression")
    mark = lower(node.expression, context)
    if type(node.this) not in (exp.Like, exp.ILike) or mark.type != TEXT or len(mark.constant or "") != 1 or mark.constant in "{}":
        raise refused(node, f"ESCAPE takes one character after LIKE: {short(node)}")
    return like(node.this, context, mark.constant)


# arithmetic

SYMBOLS = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.IntDiv: "//", exp.Mod: "%"}


@rule(*SYMBOLS)
def arithmetic(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "expression", "typed", "safe")
    left, right = lower(node.this, context), lower(node.expression, context)
    symbol = SYMBOLS[type(node)]
    timed = _time_arithmetic(symbol, left, right, node)
    if timed is not None:
        return timed
    left, right = (cast(v, INT, node) if v.type == NULL else v for v in (left, right))
    if not (types.is_number(left.type) and types.is_number(right.type)):
        raise error(node, f"{types.spoken(left.type)} {symbol} {types.spoken(right.type)} does not exist: {short(node)}",
                    "cast one of them, or write text together with ||")  # fmt: skip
    return ARITHMETIC[symbol](left, right, node)


def _time_arithmetic(symbol: str, left: Typed, right: Typed, node: exp.Expression) -> Typed | None:
    spans = (INTERVAL, MONTHS)
    if symbol == "+" and left.type in spans and right.type in TIMES:
        left, right = right, left
    pair = (left.type, right.type)
    if symbol in "+-" and left.type in TIMES and right.type in spans:
        return times.shift(left, right, 1 if symbol == "+" else -1, node)
    if symbol == "-" and pair == (DATE, DATE):
        return Typed(Call("(({0} - {1}) // DAY)", (left.expr, right.expr)), INT)
    if symbol == "-" and left.type in TIMES and right.type in TIMES:
        return Typed(Call("({0} - {1})", (left.expr, right.expr)), INTERVAL)
    if symbol in "+-" and pair == (DATE, INT):
        return Typed(Call(f"({{0}} {symbol} {{1}} * DAY)", (left.expr, right.expr)), DATE)
    if (symbol in "+-" and pair == (INTERVAL, INTERVAL)) or (symbol == "*" and pair in ((INTERVAL, INT), (INT, INTERVAL))):
        return Typed(Call(f"({{0}} {symbol} {{1}})", (left.expr, right.expr)), INTERVAL)
    return None


def _linear(symbol: str) -> Callable[[Typed, Typed, exp.Expression], Typed]:
    def apply(left: Typed, right: Typed, node: exp.Expression) -> Typed:
        code, wild = f"({{0}} {symbol} {{1}})", left.wild or right.wild
        kind = types.common(left.type, right.type) or INT
        if symbol != "*" or kind == FLOAT:
            left, right = _level(left, kind), _level(right, kind)
        elif kind != INT:
            kind = types.decimal(types.scale(left.type) + types.scale(right.type))
        return Typed(Call(f"one_nan{code}" if wild else code, (left.expr, right.expr)), kind, wild)

    return apply


def _level(value: Typed, kind: str) -> Typed:
    """A number made ready to meet `kind`; Python adds an int to a float by itself."""
    return value if kind == FLOAT and value.type == INT and not value.literal else rescale(value, kind) if value.type != kind else value


def _divide(left: Typed, right: Typed, node: exp.Expression) -> Typed:
    left, right = _level(left, FLOAT), _level(right, FLOAT)
    if tame(right) and right.constant:
        return Typed(Call("one_nan({0} / {1})" if left.wild else "({0} / {1})", (left.expr, right.expr)), FLOAT, left.wild)
    return Typed(Call("divide({0}, {1})", (left.expr, right.expr)), FLOAT, True)


def _int_divide(left: Typed, right: Typed, node: exp.Expression) -> Typed:
    if (left.type, right.type) != (INT, INT):
        raise refused(node, f"// divides whole numbers: {short(node)}", "floor(a / b)")
    return Typed(Call("int_divide({0}, {1})", (left.expr, right.expr), nullable=not right.constant), INT)


def _modulo(left: Typed, right: Typed, node: exp.Expression) -> Typed:
    kind = types.common(left.type, right.type) or INT
    left, right = (rescale(v, kind) if v.type != kind else v for v in (left, right))
    code = "float_modulo({0}, {1})" if kind == FLOAT else "int_modulo({0}, {1})"
    return Typed(Call(code, (left.expr, right.expr), nullable=kind != FLOAT), kind, kind == FLOAT)


ARITHMETIC = {"+": _linear("+"), "-": _linear("-"), "*": _linear("*"), "/": _divide, "//": _int_divide, "%": _modulo}


@rule(exp.Neg)
def negative(node: exp.Expression, context: Context) -> Typed:
    if isinstance(node.this, exp.Pow):
        raise refused(node, f"is the sign taken first? {short(node)}", "write (-a) ** b or -(a ** b)")
    value = lower(node.this, context)
    if not types.is_number(value.type) and value.type not in (INTERVAL, NULL):
        raise error(node, f"minus {types.spoken(value.type)} does not exist: {short(node)}")
    return Typed(casts.fold(Call("(-{0})", (value.expr,)), value.type), value.type, value.wild)


@rule(exp.DPipe)
def joined(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "expression", "safe")
    sides = [lower(side, context) for side in (node.this, node.expression)]
    if not any(side.type == TEXT for side in sides):
        raise error(node, f"|| joins text: {short(node)}", "CAST(… AS TEXT)")
    exprs = tuple(cast(side, TEXT, node).expr for side in sides)
    return Typed(Call("({0} + {1})", exprs), TEXT)


@rule(exp.Concat, exp.ConcatWs)
def concat(node: exp.Expression, context: Context) -> Typed:
    only(node, "expressions", "safe", "coalesce")
    name = "concat_ws" if isinstance(node, exp.ConcatWs) else "concat"
    exprs = tuple(cast(lower(n, context), TEXT, n).expr for n in node.expressions)
    slots = ", ".join(f"{{{i}}}" for i in range(len(exprs)))
    return Typed(Call(f"{name}({slots})", exprs, strict=False, nullable=name == "concat_ws"), TEXT)


# choices


@rule(exp.Coalesce)
def coalesce(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "expressions")
    values, kind = meet([lower(n, context) for n in (node.this, *node.expressions)], node, "coalesce")
    return Typed(Coalesce(tuple(v.expr for v in values)), kind, any(v.wild for v in values))


@rule(exp.Nullif)
def nullif(node: exp.Expression, context: Context) -> Typed:
    value, other = lower(node.this, context), lower(node.expression, context)
    same = compare("eq", value, other, node)
    return Typed(Case(((same, Const(None, value.type)),), value.expr), value.type, value.wild)


@rule(exp.Case)
def case(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "ifs", "default")
    whens = [_when(node.this, branch, context) for branch in node.args["ifs"]]
    default = node.args.get("default")
    return _choice(node, whens, [b.args["true"] for b in node.args["ifs"]], default, context)


def _when(subject: exp.Expression | None, branch: exp.Expression, context: Context) -> Expr:
    if subject is None:
        return condition(branch.this, context, "WHEN")
    return compare("eq", lower(subject, context), lower(branch.this, context), branch)


def _choice(
    node: exp.Expression, whens: list[Expr], results: list[exp.Expression], default: exp.Expression | None, context: Context
) -> Typed:
    values = [lower(n, context) for n in results]
    values.append(lower(default, context) if default is not None else Typed(Const(None, NULL), NULL))
    values, kind = meet(values, node, "CASE")
    pairs = tuple((when, value.expr) for when, value in zip(whens, values, strict=False))
    return Typed(Case(pairs, values[-1].expr), kind, any(v.wild for v in values))


@rule(exp.If)
def if_(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "true", "false")
    when = condition(node.this, context, "what IF asks")
    return _choice(node, [when], [node.args["true"]], node.args.get("false"), context)


@rule(exp.Greatest, exp.Least)
def extreme(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "expressions", "ignore_nulls")
    values, kind = meet([lower(n, context) for n in (node.this, *node.expressions)], node, "comparison")
    if kind in (JSON, MONTHS):
        raise refused(node, f"{types.spoken(kind)} values cannot be compared: {short(node)}")
    name = "greatest" if isinstance(node, exp.Greatest) else "least"
    slots = ", ".join(f"{{{i}}}" for i in range(len(values)))
    exprs = tuple(v.expr for v in values)
    return Typed(Call(f"{name}({slots})", exprs, strict=False, nullable=True), kind, any(v.wild for v in values))


# casts and functions with rules of their own


@rule(exp.Cast, exp.TryCast)
def cast_(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "to", "safe")
    to = casts.target(node.args["to"])
    return cast(lower(node.this, context), to, node, attempt=isinstance(node, exp.TryCast))


def number(node: exp.Expression, context: Context) -> Typed:
    value = lower(node, context)
    if value.type == NULL:
        return cast(value, INT, node)
    if not types.is_number(value.type):
        raise error(node, f"a number is needed, not {types.spoken(value.type)}: {short(node)}")
    return value


@rule(exp.Abs)
def absolute(node: exp.Expression, context: Context) -> Typed:
    value = number(node.this, context)
    return Typed(Call("abs({0})", (value.expr,)), value.type, value.wild)


@rule(exp.Sign)
def sign(node: exp.Expression, context: Context) -> Typed:
    return Typed(Call("sign({0})", (number(node.this, context).expr,)), INT)


@rule(exp.Ceil, exp.Floor, exp.Trunc)
def to_whole(node: exp.Expression, context: Context) -> Typed:
    only(node, "this")
    value, name = number(node.this, context), type(node).__name__.lower()
    if name == "trunc" and value.type == INT:
        return value
    value = rescale(value, FLOAT) if value.type != FLOAT else value
    return Typed(Call(f"{name}({{0}})", (value.expr,)), FLOAT, value.wild)


@rule(exp.Round)
def round_(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "decimals")
    value = number(node.this, context)
    digits = node.args.get("decimals")
    places = number(digits, context) if digits is not None else Typed(Const(0, INT), INT)
    if not places.literal or not isinstance(places.constant, int) or places.type != INT:
        raise refused(node, f"round needs its digits as a whole number: {short(node)}", "round(x, 2)")
    count = places.constant
    if value.type == INT:
        return Typed(Call(f"round_int({{0}}, {count})", (value.expr,)), INT)
    if value.type == FLOAT:
        return Typed(Call(f"round_to({{0}}, {count})", (value.expr,)), FLOAT, value.wild)
    if count < 0:
        raise refused(node, f"rounding a decimal to tens is not supported: {short(node)}", "cast it to DOUBLE")
    return rescale(value, types.decimal(min(count, types.scale(value.type))))


@rule(exp.Log)
def logarithm(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "expression")
    if node.expression is None:
        return functions.call("log10", [lower(node.this, context)], node)
    base = node.this.name
    if base not in ("2", "10"):
        raise refused(node, f"only log10 and log2 are supported: {short(node)}", "ln(x) / ln(b)")
    return functions.call(f"log{base}", [lower(node.expression, context)], node)


@rule(exp.Trim)
def trim(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "expression", "position")
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(node.args.get("position") or "", "trim")
    args = [n for n in (node.this, node.args.get("expression")) if n is not None]
    return functions.call(name, [lower(n, context) for n in args], node)


@rule(exp.Pad)
def pad(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "expression", "fill_pattern", "is_left")
    name = "lpad" if node.args.get("is_left") else "rpad"
    args = [n for n in (node.this, node.expression, node.args.get("fill_pattern")) if n is not None]
    return functions.call(name, [lower(n, context) for n in args], node)


PATTERN_RISKS = ("\\p", "\\P", "(?", "[[:", "\\z", "\\Z", "\\A", "\\b", "\\B", "\\Q", "$", "\\C", "\\x", "{,")


@rule(exp.RegexpLike)
def regexp(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "expression")
    value, pattern = lower(node.this, context), lower(node.expression, context)
    text = pattern.constant
    if value.type != TEXT or not isinstance(text, str) or any(risk in text for risk in PATTERN_RISKS):
        raise refused(node, f"regexp_matches takes text and a plain literal pattern: {short(node)}", "LIKE, or no anchors at the end")
    return Typed(Call("regexp_matches({0}, {1})", (value.expr, pattern.expr)), BOOL)


@rule(exp.JSONExtract, exp.JSONExtractScalar)
def json_path(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "expression", "only_json_types", "scalar_only")
    value = lower(node.this, context)
    if value.type != JSON or not isinstance(node.expression, exp.JSONPath):
        raise error(node, f"->> reads a json value by a literal key: {short(node)}", "data ->> 'field'")
    steps = [part.this for part in node.expression.expressions if not isinstance(part, exp.JSONPathRoot)]
    if not all(isinstance(step, str | int) and not isinstance(step, bool) for step in steps):
        raise refused(node, f"only keys and indices are supported in a JSON path: {short(node)}")
    scalar = isinstance(node, exp.JSONExtractScalar)
    path = Const(_json(steps), TEXT)
    name = "json_field" if scalar else "json_get"
    return Typed(Call(f"{name}({{0}}, {{1}})", (value.expr, path), nullable=True), TEXT if scalar else JSON)


def _json(steps: list[str | int]) -> str:
    import json

    return json.dumps(steps)


@rule(exp.CurrentTimestamp)
def current(node: exp.Expression, context: Context) -> Typed:
    return context.now(node)


@rule(exp.CurrentDate)
def today(node: exp.Expression, context: Context) -> Typed:
    return cast(context.now(node), DATE, node)


@rule(exp.Extract)
def extract(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "expression")
    return times.part(times.unit_name(node.this, node), lower(node.expression, context), node)


@rule(exp.Year, exp.Month, exp.Day, exp.Hour, exp.Minute, exp.Second, exp.Week, exp.Quarter, exp.DayOfWeek, exp.DayOfYear)
def named_part(node: exp.Expression, context: Context) -> Typed:
    only(node, "this")
    name = {"dayofweek": "dow", "dayofyear": "doy"}.get(type(node).__name__.lower(), type(node).__name__.lower())
    return times.part(name, lower(_bare(node.this), context), node)


def _bare(node: exp.Expression) -> exp.Expression:
    return node.this if isinstance(node, exp.TsOrDsToDate) else node


@rule(exp.TimeToUnix)
def epoch(node: exp.Expression, context: Context) -> Typed:
    only(node, "this")
    return times.part("epoch", lower(node.this, context), node)


@rule(exp.UnixToTime)
def unix(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "scale")
    value, digits = lower(node.this, context), node.args.get("scale")
    if digits is None:
        return functions.call("to_timestamp", [value], node)
    if digits.name == "3" and value.type in (*TIMES, INTERVAL):
        return functions.call("epoch_ms", [value], node)
    if value.type != INT:
        raise error(node, f"a whole number is needed: {short(node)}")
    code = "({0} * 1000)" if digits.name == "3" else "{0}"
    if digits.name not in ("3", "6"):
        raise refused(node, f"{short(node)} is not supported")
    return Typed(Call(code, (value.expr,)), LOCAL)


@rule(exp.TimestampTrunc, exp.DateTrunc)
def truncated(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "unit")
    return times.trunc(times.unit_name(node.args.get("unit"), node), lower(node.this, context), node)


@rule(exp.DateBin)
def bucketed(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "expression")
    return times.bucket(lower(node.this, context), lower(node.expression, context), node)


@rule(exp.TimeToStr)
def formatted(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "format")
    return times.text(lower(_bare(node.this), context), lower(node.args["format"], context), node)


@rule(exp.AtTimeZone)
def at_zone(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "zone")
    return times.at_zone(lower(node.this, context), lower(node.args["zone"], context), node)


@rule(exp.DateDiff)
def difference(node: exp.Expression, context: Context) -> Typed:
    only(node, "this", "expression", "unit", "date_part_boundary")
    unit = times.unit_name(node.args.get("unit"), node)
    return times.difference(unit, lower(node.expression, context), lower(node.this, context), node)


@rule(exp.Anonymous)
def anonymous(node: exp.Expression, context: Context) -> Typed:
    name = node.name.lower()
    if name in ("now", "current_timestamp", "get_current_timestamp") and not node.expressions:
        return context.now(node)
    args = [lower(n, context) for n in node.expressions]
    if name == "timezone" and len(args) == 2:
        return times.at_zone(args[1], args[0], node)
    if name in ("date_part", "datepart") and len(args) == 2 and isinstance(args[0].constant, str):
        return times.part(times.unit_name(exp.Var(this=args[0].constant), node), args[1], node)
    return functions.call(name, args, node)


__all__ = ["RULES", "TIMESTAMP", "Col", "Context", "Typed", "compare", "condition", "lower"]
