"""Dates, times and intervals: literals, extract, date_trunc, time_bucket, strftime, time zones, differences.

An interval is microseconds. Months have no length, so an interval that holds them is only ever a constant, added to
a time by the calendar. The session's zone is UTC, so a timestamp with a time zone and its UTC clock are the same int.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from sqlglot import exp

from dataflow.sql.expressions.casts import Typed, cast
from dataflow.sql.parsing.parse import error, refused, short
from dataflow.sql.plan import types
from dataflow.sql.plan.nodes import Call, Const, Expr
from dataflow.sql.plan.types import DATE, FLOAT, INT, INTERVAL, LOCAL, MONTHS, NULL, TEXT, TIMES, TIMESTAMP
from dataflow.sql.runtime.calendar import BUCKETS_FROM, FIRST, LAST, LETTERS
from dataflow.sql.runtime.calendar import SHORT as BARE
from dataflow.sql.runtime.units import LENGTHS, MONTH_LENGTHS, NAMES, PARTS, REALS, ZONED_PARTS, truncation
from dataflow.sql.runtime.units import difference as difference_code
from dataflow.sql.runtime.units import elapsed as elapsed_code
from dataflow.zones import UnknownZone, find_zone

INTERVAL_PARTS = {"epoch": "({0} / SECOND)"}
BEYOND = 2**63
"""No interval is as long, in microseconds."""

FORMATS = frozenset({*LETTERS, *BARE})


class Unit(NamedTuple):
    """What a function takes for a unit of time: its `name` where that is written, else a `column` of names."""

    name: str | None
    column: Expr | None = None


def unit_of(value: Typed, node: exp.Expr) -> Unit:
    """The unit that a function's first argument names."""
    if value.type == NULL:
        return Unit(None)
    if value.type != TEXT:
        raise error(node, f"{types.spoken(value.type)} is not a unit of time: {short(node)}", "'hour', 'day', …")
    if value.literal:
        return Unit(unit_named(value.constant, node))
    if not any(isinstance(part, exp.Column | exp.Query) for part in node.walk()):
        raise refused(node, f"a unit of time is written as a literal, or it is a column: {short(node)}", "'hour'")
    return Unit(None, value.expr)


def unit_named(name: str, node: exp.Expr) -> str:
    """A unit by one of its names."""
    unit = NAMES.get(name.lower())
    if unit is None:
        raise error(node, f"'{name}' is not a unit of time: {short(node)}", "'hour', 'day', …")
    return unit


def _by_unit(unit: Unit, code: str | None, by: str, times: tuple[Expr, ...], result: str, node: exp.Expr) -> Typed:
    """The code over times; where the unit is a column, the function named `by`."""
    if unit.column is not None:
        slots = ", ".join(f"{{{at}}}" for at in range(len(times) + 1))
        return Typed(Call(f"{by}({slots})", (unit.column, *times), nullable=True), result)
    if unit.name is None:
        return Typed(Const(None, result), result)
    if code is None:
        raise refused(node, f"'{unit.name}' is not supported here: {short(node)}", "'hour', 'day', …")
    return Typed(Call(code, times, nullable=code.startswith(("moment(", "span(", "whole_units"))), result)


CLOCK = re.compile(r"\s*([+-]?)(\d+):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?\s*")


def _clock(found: re.Match[str]) -> int:
    """The microseconds of '01:30:00'."""
    hours, minutes, seconds = (int(part or 0) for part in found.group(2, 3, 4))
    micros = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + int((found[5] or "").ljust(6, "0"))
    return -micros if found[1] == "-" else micros


def bare_interval(node: exp.Interval) -> exp.Expr:
    """What an interval counts, without parentheses."""
    inner: exp.Expr = node.this.this if isinstance(node.this, exp.Paren) else node.this
    return inner


def interval(node: exp.Interval) -> Typed:
    """A constant interval; of type `months` when it holds any, its value then text: 'months micros'."""
    months, micros = 0, 0
    value = bare_interval(node)
    if not isinstance(value, exp.Literal):
        raise refused(node, f"an interval must be a literal: {short(node)}", "n * INTERVAL '1 hour'")
    unit = node.args.get("unit")
    text = f"{value.name} {unit.name}" if unit is not None else value.name
    if not value.is_string and unit is None:
        raise refused(node, f"an interval needs a unit: {short(node)}", "INTERVAL 5 MINUTE")
    if (clock := CLOCK.fullmatch(text)) is not None:
        return Typed(Const(_clock(clock), INTERVAL), INTERVAL)
    parts = re.findall(r"([+-]?\d+)\s*([a-zA-Z]+)", text)
    if not parts or re.sub(r"[+-]?\d+\s*[a-zA-Z]+", "", text).strip():
        raise error(node, f"'{text}' does not read as an interval", "INTERVAL '5 minutes'")
    for count, name in parts:
        unit_text = NAMES.get(name.lower(), "")
        if unit_text in LENGTHS:
            micros += int(count) * LENGTHS[unit_text]
        elif unit_text in MONTH_LENGTHS:
            months += int(count) * MONTH_LENGTHS[unit_text]
        else:
            raise error(node, f"'{name}' is not a unit of time", "INTERVAL '5 minutes'")
    if not (-BEYOND < micros < BEYOND and -(2**31) <= months < 2**31):
        raise error(node, f"the interval is beyond 64 bits: {short(node)}")
    if months:
        return Typed(Const(f"{months} {micros}", MONTHS), MONTHS)
    return Typed(Const(micros, INTERVAL), INTERVAL)


def months_times(count: Typed, span: Typed) -> Typed | None:
    """So many times an interval of whole months."""
    if count.type != INT or span.type != MONTHS:
        return None
    months, micros = str(span.constant).split() if span.literal else ("", "")
    if micros != "0":
        return None
    return Typed(Call(f"months_of({{0}}, {months})", (count.expr,), nullable=True), MONTHS)


def counted(count: Typed, node: exp.Interval) -> Typed:
    """INTERVAL (n) DAY: as many of a unit as a whole number says."""
    said = node.args.get("unit")
    unit = NAMES.get(said.name.lower(), "") if said is not None else ""
    if count.type != INT or unit not in {**LENGTHS, **MONTH_LENGTHS}:
        raise refused(node, f"an interval takes a whole number and a unit: {short(node)}", "n * INTERVAL '1 hour'")
    if unit in LENGTHS:
        return Typed(Call(f"interval_of({{0}}, {LENGTHS[unit]})", (count.expr,), nullable=True), INTERVAL)
    return Typed(Call(f"months_of({{0}}, {MONTH_LENGTHS[unit]})", (count.expr,), nullable=True), MONTHS)


MOVED = f"(moved if {FIRST} <= (moved := %s) <= {LAST} else None)"
"""`moment`, written out: it stands in what is asked for most."""
APART = f"(moved if {-BEYOND} <= (moved := %s) < {BEYOND} else None)"
"""`span`, written out."""


def shift(time: Typed, by: Typed, sign: int, node: exp.Expr, *, bounded: bool = True) -> Typed:
    """time ± interval; if not `bounded`, of a time that is known to be within bounds."""
    time = cast(time, LOCAL, node) if time.type == DATE else time
    result = time.type
    args: tuple[Expr, ...] = (time.expr, by.expr)
    if by.type != MONTHS:
        code = f"({{0}} {'+' if sign > 0 else '-'} {{1}})"
        return Typed(Call(MOVED % code if bounded else code, args, nullable=bounded), result)
    code = f"add_months({{0}}, {'-' if sign < 0 else ''}{{1}})"
    if by.literal:
        months, micros = (sign * int(part) for part in str(by.constant).split())
        code, args = f"(add_months({{0}}, {months}) + {micros})", (time.expr,)
    return Typed(Call(f"moment({code})" if bounded else code, args, nullable=bounded), result)


def need_time(value: Typed, node: exp.Expr) -> Typed:
    if value.type not in TIMES:
        raise error(node, f"a time is needed, not {types.spoken(value.type)}: {short(node)}")
    return value


def part(unit: Unit, value: Typed, node: exp.Expr) -> Typed:
    """extract(unit FROM value)."""
    table = INTERVAL_PARTS if value.type == INTERVAL else PARTS
    if value.type != INTERVAL:
        need_time(value, node)
    elif unit.column is not None:
        raise refused(node, f"an interval's parts are not told apart: {short(node)}", "epoch(x)")
    if unit.name is not None and unit.name not in table:
        raise refused(
            node, f"extract of '{unit.name}' from {types.spoken(value.type)} is not supported", ", ".join(table)
        )
    zoned = value.type == TIMESTAMP
    real = unit.column is not None or unit.name in REALS
    code = (ZONED_PARTS if zoned and value.type != INTERVAL else table).get(unit.name or "")
    return _by_unit(unit, code, "part_by" + "_zoned" * zoned, (value.expr,), FLOAT if real else INT, node)


def trunc(unit: Unit, value: Typed, node: exp.Expr) -> Typed:
    """date_trunc."""
    zoned = need_time(value, node).type == TIMESTAMP
    code = truncation(unit.name, zoned=zoned) if unit.name else None
    if code is not None and value.type == DATE and not code.startswith("moment"):
        code = f"moment({code})"
    result = LOCAL if value.type == DATE else value.type
    return _by_unit(unit, code, "truncated_by" + "_zoned" * zoned, (value.expr,), result, node)


def bucket(width: Typed, value: Typed, start: Typed | None, node: exp.Expr) -> Typed:
    """time_bucket, from DuckDB's origin; or by an offset from there, or from another origin."""
    need_time(value, node)
    if start is not None and start.type == INTERVAL and start.literal:
        moved = bucket(width, shift(value, start, -1, node), None, node)
        return shift(moved, start, 1, node)._replace(type=value.type)
    if start is not None:
        return _bucket_from(width, value, start, node)
    if width.type == MONTHS and str(width.constant).endswith(" 0"):
        code = f"moment(bucket_months({str(width.constant).split()[0]}, {{0}}))"
    elif width.type == INTERVAL and width.literal and width.constant > 0:
        code = _bucket_code(int(width.constant))
    else:
        raise error(node, f"time_bucket needs a constant interval above zero: {short(node)}", "INTERVAL '5 minutes'")
    if value.type == DATE and width.type == INTERVAL:
        code = f"({code} // DAY * DAY)"
    return Typed(Call(code, (value.expr,), nullable=code.startswith("moment(")), value.type)


def _bucket_code(width: int) -> str:
    """Down to a multiple of the width from DuckDB's origin, which many widths divide."""
    rest = BUCKETS_FROM % width
    return f"({{0}} - ({{0}} - {rest}) % {width})" if rest else f"({{0}} - {{0}} % {width})"


def _bucket_from(width: Typed, value: Typed, start: Typed, node: exp.Expr) -> Typed:
    fixed = start.constant is not None and width.type == INTERVAL and width.literal and width.constant > 0
    if start.type not in TIMES or not fixed:
        raise refused(node, f"time_bucket's origin is a literal time, or interval: {short(node)}", "INTERVAL '2 hours'")
    code = f"(({{0}} - {start.constant}) // {width.constant} * {width.constant} + {start.constant})"
    return Typed(Call(code, (value.expr,)), value.type)


def elapsed(unit: Unit, start: Typed, end: Typed, node: exp.Expr) -> Typed:
    """date_sub: whole units from one time to another."""
    for side in (start, end):
        need_time(side, node)
    zoned = TIMESTAMP in (start.type, end.type)
    code = elapsed_code(unit.name, zoned=zoned) if unit.name else None
    return _by_unit(unit, code, "elapsed_by" + "_zoned" * zoned, (start.expr, end.expr), INT, node)


def text(value: Typed, pattern: Typed, node: exp.Expr) -> Typed:
    """strftime."""
    if value.type == TEXT and value.literal:
        value, pattern = pattern, value
    if NULL in (value.type, pattern.type) and {value.type, pattern.type} <= {NULL, TEXT, *TIMES}:
        return Typed(Const(None, TEXT), TEXT)
    need_time(value, node)
    if pattern.type != TEXT or not pattern.literal:
        raise error(node, f"strftime needs its format as a literal: {short(node)}", "'%H:%M'")
    if not pattern.constant:
        raise error(node, f"strftime needs a format: {short(node)}", "'%H:%M'")
    for letter in re.findall(r"%(-?.?)", pattern.constant):
        if letter not in FORMATS or not letter:
            raise refused(node, f"strftime's %{letter} is not supported", "known: %" + " %".join(sorted(FORMATS)))
    return Typed(Call("strftime({0}, {1})", (value.expr, pattern.expr)), TEXT)


def at_zone(value: Typed, zone: Typed, node: exp.Expr) -> Typed:
    """AT TIME ZONE: a timestamp's local clock, or the timestamp that a local clock shows."""
    if zone.type != TEXT or not isinstance(zone.constant, str):
        raise error(node, f"a time zone must be a literal: {short(node)}", "'America/New_York'")
    try:
        find_zone(zone.constant)
    except UnknownZone as unknown:
        raise error(node, str(unknown), unknown.hint) from None
    need_time(value, node)
    if value.type == TIMESTAMP:
        return Typed(Call("to_local({0}, {1})", (value.expr, zone.expr)), LOCAL)
    return Typed(Call("from_local({0}, {1})", (value.expr, zone.expr)), TIMESTAMP)


def difference(unit: Unit, start: Typed, end: Typed, node: exp.Expr) -> Typed:
    """date_diff: how many boundaries of a unit lie between; of weeks, how many whole ones."""
    for side in (start, end):
        need_time(side, node)
    zoned = TIMESTAMP in (start.type, end.type)
    code = difference_code(unit.name, zoned=zoned) if unit.name else None
    return _by_unit(unit, code, "difference_by" + "_zoned" * zoned, (start.expr, end.expr), INT, node)
