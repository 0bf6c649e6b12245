"""Functions of times: now, extract and its shorthands, epochs, truncation, buckets, formats, zones, differences."""

from __future__ import annotations

from sqlglot import exp

from dataflow.sql import functions, times
from dataflow.sql.casts import Typed, cast
from dataflow.sql.expressions import Context, lower, rule
from dataflow.sql.parse import error, only, refused, short
from dataflow.sql.plan import Call
from dataflow.sql.types import DATE, INT, INTERVAL, LOCAL, MONTHS, TIMES


@rule(exp.CurrentTimestamp)
def current(node: exp.Expr, context: Context) -> Typed:
    return context.now(node)


@rule(exp.CurrentDate)
def today(node: exp.Expr, context: Context) -> Typed:
    return cast(context.now(node), DATE, node)


@rule(exp.Extract)
def extract(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression")
    return times.part(times.unit_name(node.this, node), lower(node.expression, context), node)


@rule(
    exp.Year,
    exp.Month,
    exp.Day,
    exp.Hour,
    exp.Minute,
    exp.Second,
    exp.Week,
    exp.Quarter,
    exp.DayOfWeek,
    exp.DayOfYear,
    exp.DayOfWeekIso,
    exp.DayOfMonth,
    exp.WeekOfYear,
)
def named_part(node: exp.Expr, context: Context) -> Typed:
    only(node, "this")
    said = type(node).__name__.lower()
    name = {"dayofweekiso": "isodow", "dayofmonth": "day", "weekofyear": "week"}.get(said, said)
    return times.part(name, lower(_bare(node.this), context), node)


def _bare(node: exp.Expr) -> exp.Expr:
    return node.this if isinstance(node, exp.TsOrDsToDate) else node


@rule(exp.TimeToUnix)
def epoch(node: exp.Expr, context: Context) -> Typed:
    only(node, "this")
    return times.part("epoch", lower(node.this, context), node)


@rule(exp.UnixToTime)
def unix(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "scale")
    value, digits = lower(node.this, context), node.args.get("scale")
    if digits is None:
        return functions.call("to_timestamp", [value], node)
    if digits.name == "3" and value.type in (*TIMES, INTERVAL):
        return functions.call("epoch_ms", [value], node)
    if value.type != INT:
        raise error(node, f"a whole number is needed: {short(node)}")
    code = "moment({0} * 1000)" if digits.name == "3" else "moment({0})"
    if digits.name not in ("3", "6"):
        raise refused(node, f"{short(node)} is not supported")
    return Typed(Call(code, (value.expr,), nullable=True), LOCAL)


@rule(exp.TimestampTrunc, exp.DateTrunc)
def truncated(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "unit")
    return times.trunc(times.unit_name(node.args.get("unit"), node), lower(node.this, context), node)


@rule(exp.DateBin)
def bucketed(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression", "unit")
    start = node.args.get("unit")
    where = None if start is None else lower(start, context)
    return times.bucket(lower(node.this, context), lower(node.expression, context), where, node)


@rule(exp.TimeToStr)
def formatted(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "format")
    return times.text(lower(_bare(node.this), context), lower(node.args["format"], context), node)


@rule(exp.DateAdd)
def added(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression")
    time, by = times.need_time(lower(_bare(node.this), context), node), lower(node.expression, context)
    if by.type not in (INTERVAL, MONTHS):
        raise error(node, f"date_add takes an interval: {short(node)}", "INTERVAL '1 day'")
    return times.shift(time, by, 1, node)


@rule(exp.AtTimeZone)
def at_zone(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "zone")
    return times.at_zone(lower(node.this, context), lower(node.args["zone"], context), node)


@rule(exp.DateDiff)
def difference(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression", "unit", "date_part_boundary")
    unit = times.unit_name(node.args.get("unit"), node)
    return times.difference(unit, lower(node.expression, context), lower(node.this, context), node)
