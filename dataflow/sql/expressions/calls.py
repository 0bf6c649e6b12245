"""Casts, text joined, and functions whose meaning needs more than a line in the catalogue."""

from __future__ import annotations

import msgspec
from sqlglot import exp

from dataflow.sql.expressions import casts, functions, times
from dataflow.sql.expressions.casts import Typed, cast, rescale
from dataflow.sql.expressions.json_paths import json_steps
from dataflow.sql.expressions.lower import NAMED, Context, left_rule, lower, named, rule
from dataflow.sql.parsing.parse import error, only, refused, short
from dataflow.sql.plan import types
from dataflow.sql.plan.nodes import Call, Const
from dataflow.sql.plan.types import FLOAT, INT, JSON, MONTHS, NULL, TEXT
from dataflow.sql.runtime.units import NAMES


@left_rule(exp.DPipe)
def joined(node: exp.Expr, left: Typed, context: Context) -> Typed:
    only(node, "this", "expression", "safe")
    sides = [left, lower(node.expression, context)]
    if not any(side.type == TEXT for side in sides):
        raise error(node, f"|| joins text: {short(node)}", "CAST(… AS TEXT)")
    exprs = tuple(cast(side, TEXT, node).expr for side in sides)
    if any(side.literal for side in sides):  # what a literal adds is no longer than the query
        return Typed(Call("({0} + {1})", exprs), TEXT)
    return Typed(Call("joined_text({0}, {1})", exprs, nullable=True), TEXT)


@rule(exp.Concat, exp.ConcatWs)
def concat(node: exp.Expr, context: Context) -> Typed:
    only(node, "expressions", "safe", "coalesce")
    name = "concat_ws" if isinstance(node, exp.ConcatWs) else "concat"
    exprs = tuple(cast(lower(n, context), TEXT, n).expr for n in node.expressions)
    slots = ", ".join(f"{{{i}}}" for i in range(len(exprs)))
    return Typed(Call(f"{name}({slots})", exprs, strict=False, nullable=True), TEXT)


@left_rule(exp.Cast, exp.TryCast)
def cast_(node: exp.Expr, value: Typed, context: Context) -> Typed:
    only(node, "this", "to", "safe")
    if node.args["to"].this == exp.DType.INTERVAL and isinstance(node.this, exp.Literal) and node.this.is_string:
        return times.interval(exp.Interval(this=node.this))
    return casts.cast_to(value, node.args["to"], node, attempt=isinstance(node, exp.TryCast))


PART_NAMES = {
    name: NAMES[name]
    for name in (
        "century", "dayofmonth", "dayofweek", "dayofyear", "decade", "era", "isodow", "isoyear", "julian",
        "microsecond", "millennium", "millisecond", "quarter", "week", "weekday", "weekofyear", "year", "yearweek",
        "month", "day", "hour", "minute", "second", "epoch",
    )
}  # fmt: skip
"""Functions that are named like the part of a time that they give."""


def number(node: exp.Expr, context: Context) -> Typed:
    value = lower(node, context)
    if value.type == NULL:
        return cast(value, INT, node)
    if not types.is_number(value.type):
        raise error(node, f"a number is needed, not {types.spoken(value.type)}: {short(node)}")
    return value


@rule(exp.Abs)
def absolute(node: exp.Expr, context: Context) -> Typed:
    value = number(node.this, context)
    return Typed(Call("one_nan(abs({0}))" if value.wild else "abs({0})", (value.expr,)), value.type, value.wild)


@rule(exp.Sign)
def sign(node: exp.Expr, context: Context) -> Typed:
    return Typed(Call("sign({0})", (number(node.this, context).expr,)), INT)


WHOLE_DECIMALS = {"floor": "({} // {})", "ceil": "(-(-{} // {}))", "trunc": "int_divide({}, {})"}


@rule(exp.Ceil, exp.Floor, exp.Trunc)
def to_whole(node: exp.Expr, context: Context) -> Typed:
    only(node, "this")
    value, name = number(node.this, context), type(node).__name__.lower()
    if name == "trunc" and value.type == INT:
        return value
    if types.is_decimal(value.type):
        code = WHOLE_DECIMALS[name].format("{0}", 10 ** types.scale(value.type))
        return Typed(Call(code, (value.expr,)), types.decimal(0))
    value = rescale(value, FLOAT) if value.type != FLOAT else value
    return Typed(Call(f"{name}({{0}})", (value.expr,)), FLOAT, value.wild)


@rule(exp.Round)
def round_(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "decimals")
    value = number(node.this, context)
    digits = node.args.get("decimals")
    places = number(digits, context) if digits is not None else Typed(Const(0, INT), INT)
    if not places.literal or not isinstance(places.constant, int) or places.type != INT:
        raise refused(node, f"round needs its digits as a whole number: {short(node)}", "round(x, 2)")
    count = places.constant
    if value.type == INT:
        return Typed(Call(f"round_int({{0}}, {count})", (value.expr,), nullable=count < 0), INT)
    if value.type == FLOAT:
        return Typed(Call(f"round_to({{0}}, {count})", (value.expr,)), FLOAT, value.wild)
    if count < 0:
        raise refused(node, f"rounding a decimal to tens is not supported: {short(node)}", "cast it to DOUBLE")
    return rescale(value, types.decimal(count)) if count < types.scale(value.type) else value


@rule(exp.Log)
def logarithm(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression")
    if node.expression is None:
        return functions.call("log10", [lower(node.this, context)], node)
    base = node.this.name
    if base not in ("2", "10"):
        return functions.call("log", [lower(node.this, context), lower(node.expression, context)], node)
    return functions.call(f"log{base}", [lower(node.expression, context)], node)


@rule(exp.Trim)
def trim(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression", "position")
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(node.args.get("position") or "", "trim")
    args = [n for n in (node.this, node.args.get("expression")) if n is not None]
    return functions.call(name, [lower(n, context) for n in args], node)


@rule(exp.Pad)
def pad(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression", "fill_pattern", "is_left")
    name = "lpad" if node.args.get("is_left") else "rpad"
    args = [n for n in (node.this, node.expression, node.args.get("fill_pattern")) if n is not None]
    return functions.call(name, [lower(n, context) for n in args], node)


@rule(exp.Bracket, exp.ArraySlice)
def part_of(node: exp.Expr, context: Context) -> Typed:
    """A letter of a text, or letters from one to another: s[1], s[2:4], s[-1]."""
    value = lower(node.this, context)
    if value.type not in (TEXT, NULL):
        raise refused(node, f"{types.spoken(value.type)} has no parts: {short(node)}", "data ->> 'field'")
    if isinstance(node, exp.Bracket) and not isinstance(node.expressions[0], exp.Slice):
        index = lower(node.expressions[0], context)
        if index.literal and index.type == INT:  # the parser counts literals from 0 where it knows of no text
            known = node.this.type is not None and not node.this.is_type("unknown", "array")
            index = Typed(Const(index.constant + (not known), INT), INT)
        elif not isinstance(node.expressions[0], exp.Column):
            raise refused(node, f"an index is a number or a column: {short(node)}", "array_extract(s, n + 1)")
        return functions.call("array_extract", [value, index], node)
    inner = node.expressions[0] if isinstance(node, exp.Bracket) else node
    start, end = (inner.this, inner.expression) if inner is not node else (node.args.get("start"), node.args.get("end"))
    ends = [lower(n, context) if n is not None else Typed(Const(d, INT), INT) for n, d in ((start, 1), (end, -1))]
    return functions.call("array_slice", [value, *ends], node)


@rule(exp.SHA2)
def sha(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "length")
    length = node.args.get("length")
    if length is None or length.name != "256":
        raise refused(node, f"{short(node)} is not supported", "sha256(s)")
    return functions.call("sha256", [lower(node.this, context)], node)


@rule(exp.Overlay)
def overlaid(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression", "from_", "for_")
    text, new, start = (lower(node.args[name], context) for name in ("this", "expression", "from_"))
    count = node.args.get("for_")
    if not isinstance(node.args["from_"], exp.Literal) or not (count is None or isinstance(count, exp.Literal)):
        raise refused(node, f"overlay takes numbers for its place: {short(node)}")
    size = lower(count, context) if count is not None else functions.call("length", [new], node)
    return functions.call("overlay", [text, new, start, size], node)


@rule(exp.JSONExtract, exp.JSONExtractScalar)
def json_path(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression")
    return _json(node.this, node.expression, isinstance(node, exp.JSONExtractScalar), node, context)


@named("json_extract", "json_extract_path", "json_extract_string", "json_extract_path_text")
def json_extract(node: exp.Expr, context: Context) -> Typed:
    if len(node.expressions) != 2:
        raise error(node, f"{node.name.lower()} takes a json value and one path: {short(node)}", "data ->> 'field'")
    scalar = node.name.lower() in ("json_extract_string", "json_extract_path_text")
    owner, path = node.expressions
    return _json(owner, path, scalar, node, context)


def _json(owner: exp.Expr, path: exp.Expr, scalar: bool, node: exp.Expr, context: Context) -> Typed:
    """The value at a path, as JSON or, if `scalar`, as text."""
    value, result = lower(owner, context), TEXT if scalar else JSON
    if value.type == NULL or isinstance(path, exp.Null):
        return Typed(Const(None, result), result)
    said = _literal_path(path)
    if value.type != JSON or said is None:
        raise error(node, f"->> reads a json value by a literal key: {short(node)}", "data ->> 'field'")
    steps = [said] if isinstance(said, int) else json_steps(said)
    if steps is None:
        raise refused(node, f"only keys and indices are supported in a JSON path: {short(node)}")
    name = "json_field" if scalar else "json_get"
    stated = Const(msgspec.json.encode(steps).decode(), TEXT)
    return Typed(Call(f"{name}({{0}}, {{1}})", (value.expr, stated), nullable=True), result)


def _literal_path(node: exp.Expr) -> str | int | None:
    """A text, or a whole number of up to 18 digits."""
    while isinstance(node, exp.Paren):
        node = node.this
    inner = node.this if isinstance(node, exp.Neg) else node
    if not isinstance(inner, exp.Literal):
        return None
    if inner.is_string:
        return inner.name if inner is node else None
    if not inner.name.isdigit() or len(inner.name) > 18:
        return None
    return int(inner.name) if inner is node else -int(inner.name)


@rule(exp.Chr)
def character(node: exp.Expr, context: Context) -> Typed:
    only(node, "expressions")
    return functions.call("chr", [lower(n, context) for n in node.expressions], node)


@rule(exp.Anonymous)
def anonymous(node: exp.Expr, context: Context) -> Typed:
    name = node.name.lower()
    if name in ("now", "current_timestamp", "get_current_timestamp") and not node.expressions:
        return context.now(node)
    if name in NAMED:
        return NAMED[name](node, context)
    args = [lower(n, context) for n in node.expressions]
    if name in ("to_months", "to_years") and len(args) == 1 and args[0].type == INT:
        months = Call(f"months_of({{0}}, {12 if name == 'to_years' else 1})", (args[0].expr,), nullable=True)
        return Typed(months, MONTHS)
    if name == "timezone" and len(args) == 2:
        return times.at_zone(args[1], args[0], node)
    if name in PART_NAMES and len(args) == 1:
        return times.part(times.Unit(PART_NAMES[name]), args[0], node)
    return functions.call(name, args, node)
