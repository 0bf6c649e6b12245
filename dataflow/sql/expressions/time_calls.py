"""Functions of times: now, extract and its shorthands, epochs, truncation, buckets, formats, zones, differences."""

from __future__ import annotations

from sqlglot import exp

from dataflow.sql.expressions import functions, times
from dataflow.sql.expressions.casts import Typed, cast
from dataflow.sql.expressions.lower import Context, lower, named, rule
from dataflow.sql.parsing.parse import error, only, refused, short
from dataflow.sql.plan.nodes import Call
from dataflow.sql.plan.types import DATE, INT, INTERVAL, LOCAL, MONTHS, TIMES


@rule(exp.CurrentTimestamp)
def current(node: exp.Expr, context: Context) -> Typed:
    return context.now(node)


@rule(exp.CurrentDate)
def today(node: exp.Expr, context: Context) -> Typed:
    return cast(context.now(node), DATE, node)


@rule(exp.Extract)
def extract(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "expression")
    return times.part(times.Unit(times.unit_named(node.this.name, node)), lower(node.expression, context), node)


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
    return times.part(times.Unit(times.unit_named(name, node)), lower(_bare(node.this), context), node)


def _bare(node: exp.Expr) -> exp.Expr:
    return node.this if isinstance(node, exp.TsOrDsToDate) else node


@rule(exp.TimeToUnix)
def epoch(node: exp.Expr, context: Context) -> Typed:
    only(node, "this")
    return times.part(times.Unit("epoch"), lower(node.this, context), node)


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


def _arguments(node: exp.Expr, context: Context, least: int, most: int) -> list[Typed]:
    """The values that a function is given."""
    if not least <= len(node.expressions) <= most:
        counts = str(least) if least == most else f"{least} or {most}"
        raise error(node, f"{node.name.lower()} takes {counts} value{'s' * (most > 1)}: {short(node)}")
    return [lower(part, context) for part in node.expressions]


@named("date_trunc", "datetrunc")
def truncated(node: exp.Expr, context: Context) -> Typed:
    unit, value = _arguments(node, context, 2, 2)
    return times.trunc(times.unit_of(unit, node.expressions[0]), value, node)


@named("date_part", "datepart")
def part(node: exp.Expr, context: Context) -> Typed:
    unit, value = _arguments(node, context, 2, 2)
    return times.part(times.unit_of(unit, node.expressions[0]), value, node)


@named("date_diff", "datediff")
def difference(node: exp.Expr, context: Context) -> Typed:
    unit, start, end = _arguments(node, context, 3, 3)
    return times.difference(times.unit_of(unit, node.expressions[0]), start, end, node)


@named("date_sub", "datesub")
def elapsed(node: exp.Expr, context: Context) -> Typed:
    unit, start, end = _arguments(node, context, 3, 3)
    return times.elapsed(times.unit_of(unit, node.expressions[0]), start, end, node)


@named("time_bucket")
def bucketed(node: exp.Expr, context: Context) -> Typed:
    width, value, *start = _arguments(node, context, 2, 3)
    return times.bucket(width, value, start[0] if start else None, node)


@named("strftime")
def formatted(node: exp.Expr, context: Context) -> Typed:
    value, pattern = _arguments(node, context, 2, 2)
    return times.text(value, pattern, node)


@named("date_add")
def added(node: exp.Expr, context: Context) -> Typed:
    time, by = _arguments(node, context, 2, 2)
    if by.type not in (INTERVAL, MONTHS):
        raise error(node, f"date_add takes an interval: {short(node)}", "INTERVAL '1 day'")
    return times.shift(times.need_time(time, node), by, 1, node)


@rule(exp.AtTimeZone)
def at_zone(node: exp.Expr, context: Context) -> Typed:
    only(node, "this", "zone")
    return times.at_zone(lower(node.this, context), lower(node.args["zone"], context), node)
