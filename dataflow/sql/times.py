"""Dates, times and intervals: literals, extract, date_trunc, time_bucket, strftime, time zones, differences.

An interval is microseconds. Months have no length, so an interval that holds them is only ever a constant, added to
a time by the calendar. The session's zone is UTC, so a timestamp with a time zone and its UTC clock are the same int.
"""

from __future__ import annotations

import re

from sqlglot import exp

from dataflow.sql import types
from dataflow.sql.calendar import BUCKETS_FROM, HOUR, LETTERS
from dataflow.sql.calendar import SHORT as BARE
from dataflow.sql.casts import Typed
from dataflow.sql.parse import error, refused, short
from dataflow.sql.plan import Call, Const
from dataflow.sql.types import DATE, FLOAT, INT, INTERVAL, LOCAL, MONTHS, TEXT, TIMES, TIMESTAMP
from dataflow.zones import UnknownZone, find_zone

LENGTHS = {
    "microsecond": 1, "us": 1, "millisecond": 1000, "ms": 1000, "second": 10**6, "sec": 10**6, "s": 10**6,
    "minute": 60 * 10**6, "min": 60 * 10**6, "m": 60 * 10**6, "hour": 3600 * 10**6, "hr": 3600 * 10**6,
    "h": 3600 * 10**6,
    "day": 86400 * 10**6, "d": 86400 * 10**6, "week": 7 * 86400 * 10**6, "w": 7 * 86400 * 10**6,
}  # fmt: skip
MONTH_LENGTHS = {
    "month": 1, "mon": 1, "quarter": 3, "year": 12, "y": 12, "decade": 120, "century": 1200, "millennium": 12000,
}  # fmt: skip
OTHER_NAMES = {
    "yr": "year", "yrs": "year", "hrs": "hour", "mins": "minute", "secs": "second", "msec": "millisecond",
    "msecs": "millisecond", "usec": "microsecond", "usecs": "microsecond", "dec": "decade", "decs": "decade",
    "cent": "century", "centuries": "century", "mil": "millennium", "mils": "millennium", "millennia": "millennium",
    "weekofyear": "week", "dayofmonth": "day",
}  # fmt: skip
SHORT = {
    "us": "microsecond", "ms": "millisecond", "sec": "second", "s": "second", "min": "minute", "m": "minute",
    "hr": "hour", "h": "hour", "d": "day", "w": "week", "mon": "month", "y": "year",
}  # fmt: skip
"""The short names of units as the parts of a time that they name."""

PARTS = {
    "year": "year({0})", "month": "month({0})", "quarter": "quarter({0})", "day": "day_of_month({0})",
    "doy": "day_of_year({0})", "dayofyear": "day_of_year({0})", "week": "iso_week({0})", "isoyear": "iso_year({0})",
    "dow": "(({0} // DAY + 4) % 7)", "dayofweek": "(({0} // DAY + 4) % 7)", "weekday": "(({0} // DAY + 4) % 7)",
    "isodow": "(({0} // DAY + 3) % 7 + 1)", "hour": "({0} // HOUR % 24)", "minute": "({0} // MINUTE % 60)",
    "second": "({0} // SECOND % 60)", "millisecond": "({0} // 1000 % 60000)", "microsecond": "({0} % MINUTE)",
    "epoch": "({0} / SECOND)", "decade": "decade({0})", "century": "century({0})", "millennium": "millennium({0})",
    "era": "int(year({0}) > 0)", "yearweek": "year_week({0})",
}  # fmt: skip
INTERVAL_PARTS = {"epoch": "({0} / SECOND)"}

FORMATS = frozenset({*LETTERS, *BARE})


def unit_name(node: exp.Expr | None, owner: exp.Expr) -> str:
    """The unit as DuckDB's singular name."""
    if node is None:
        raise error(owner, f"which unit? {short(owner)}", "'hour', 'day', …")
    name = node.name.lower()
    name = OTHER_NAMES.get(name, name)
    return name[:-1] if name.endswith("s") and len(name) > 2 and name[:-1] in {*LENGTHS, *MONTH_LENGTHS} else name


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
    if (clock := CLOCK.fullmatch(text)) is not None:
        return Typed(Const(_clock(clock), INTERVAL), INTERVAL)
    parts = re.findall(r"([+-]?\d+)\s*([a-zA-Z]+)", text)
    if not parts or re.sub(r"[+-]?\d+\s*[a-zA-Z]+", "", text).strip():
        raise error(node, f"'{text}' does not read as an interval", "INTERVAL '5 minutes'")
    for count, name in parts:
        unit_text = unit_name(exp.Var(this=name), node)
        if unit_text in LENGTHS:
            micros += int(count) * LENGTHS[unit_text]
        elif unit_text in MONTH_LENGTHS:
            months += int(count) * MONTH_LENGTHS[unit_text]
        else:
            raise error(node, f"'{name}' is not a unit of time", "INTERVAL '5 minutes'")
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
    return Typed(Call(f"({{0}} * {months})", (count.expr,)), MONTHS)


def counted(count: Typed, node: exp.Interval) -> Typed:
    """INTERVAL (n) DAY: as many of a unit as a whole number says."""
    unit = unit_name(node.args.get("unit"), node)
    if count.type != INT or unit not in {**LENGTHS, **MONTH_LENGTHS}:
        raise refused(node, f"an interval takes a whole number and a unit: {short(node)}", "n * INTERVAL '1 hour'")
    if unit in LENGTHS:
        return Typed(Call(f"({{0}} * {LENGTHS[unit]})", (count.expr,)), INTERVAL)
    return Typed(Call(f"({{0}} * {MONTH_LENGTHS[unit]})", (count.expr,)), MONTHS)


def shift(time: Typed, by: Typed, sign: int, node: exp.Expr) -> Typed:
    """time ± interval."""
    result = LOCAL if time.type == DATE else time.type
    if by.type == MONTHS and not by.literal:
        return Typed(Call(f"add_months({{0}}, {'-' if sign < 0 else ''}{{1}})", (time.expr, by.expr)), result)
    if by.type == MONTHS:
        months, micros = (sign * int(part) for part in str(by.constant).split())
        code = f"(add_months({{0}}, {months}) + {micros})"
        return Typed(Call(code, (time.expr,)), result)
    return Typed(Call("({0} + {1})" if sign > 0 else "({0} - {1})", (time.expr, by.expr)), result)


def need_time(value: Typed, node: exp.Expr) -> Typed:
    if value.type not in TIMES:
        raise error(node, f"a time is needed, not {types.spoken(value.type)}: {short(node)}")
    return value


def part(unit: str, value: Typed, node: exp.Expr) -> Typed:
    """extract(unit FROM value)."""
    table = INTERVAL_PARTS if value.type == INTERVAL else PARTS
    if value.type != INTERVAL:
        need_time(value, node)
    unit = SHORT.get(unit, unit)
    if unit not in table:
        raise refused(node, f"extract of '{unit}' from {types.spoken(value.type)} is not supported", ", ".join(table))
    return Typed(Call(table[unit], (value.expr,)), FLOAT if unit == "epoch" else INT)


def trunc(unit: str, value: Typed, node: exp.Expr) -> Typed:
    """date_trunc."""
    need_time(value, node)
    if unit == "week":
        code = "trunc_week({0})"
    elif unit in LENGTHS:
        code = f"({{0}} // {LENGTHS[unit]} * {LENGTHS[unit]})"
    elif unit in MONTH_LENGTHS:
        code = f"trunc_month({{0}}, {MONTH_LENGTHS[unit]})"
    else:
        raise error(node, f"'{unit}' is not a unit of time", "'hour', 'day', …")
    return Typed(Call(code, (value.expr,)), LOCAL if value.type == DATE else value.type)


def bucket(width: Typed, value: Typed, start: Typed | None, node: exp.Expr) -> Typed:
    """time_bucket, from DuckDB's origin; or by an offset from there, or from another origin."""
    need_time(value, node)
    if start is not None and start.type == INTERVAL and start.literal:
        moved = bucket(width, shift(value, start, -1, node), None, node)
        return shift(moved, start, 1, node)._replace(type=value.type)
    if start is not None:
        return _bucket_from(width, value, start, node)
    if width.type == MONTHS and str(width.constant).endswith(" 0"):
        code = f"bucket_months({str(width.constant).split()[0]}, {{0}})"
    elif width.type == INTERVAL and width.literal and width.constant > 0:
        code = _bucket_code(int(width.constant))
    else:
        raise error(node, f"time_bucket needs a constant interval above zero: {short(node)}", "INTERVAL '5 minutes'")
    return Typed(Call(code, (value.expr,)), value.type)


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


def elapsed(unit: str, start: Typed, end: Typed, node: exp.Expr) -> Typed:
    """date_sub: whole units from one time to another."""
    for side in (start, end):
        need_time(side, node)
    zoned = TIMESTAMP in (start.type, end.type)
    cut = zoned and LENGTHS.get(unit, HOUR) >= HOUR  # ICU counts milliseconds, the start's down, the end's to zero
    one, two = ("({0} // 1000 * 1000)", "int_divide({1}, 1000) * 1000") if cut else ("{0}", "{1}")
    if unit in LENGTHS:
        code = f"int_divide({two} - {one}, {LENGTHS[unit]})"
    elif unit in MONTH_LENGTHS:
        code = f"int_divide(whole_months{'_back' * zoned}({one}, {two}), {MONTH_LENGTHS[unit]})"
    else:
        raise error(node, f"'{unit}' is not a unit of time", "'minute', 'hour', 'day', …")
    return Typed(Call(code, (start.expr, end.expr)), INT)


def text(value: Typed, pattern: Typed, node: exp.Expr) -> Typed:
    """strftime."""
    if value.type == TEXT and value.literal:
        value, pattern = pattern, value
    need_time(value, node)
    if pattern.type != TEXT or not pattern.literal:
        raise error(node, f"strftime needs its format as a literal: {short(node)}", "'%H:%M'")
    if pattern.constant in ("", "None"):  # the parser makes this of nothing
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


def difference(unit: str, start: Typed, end: Typed, node: exp.Expr) -> Typed:
    """date_diff: how many boundaries of `unit` lie between; of weeks, how many whole ones."""
    need_time(start, node), need_time(end, node)
    if unit == "week":
        code = "weeks({0}, {1})"
    elif unit in LENGTHS:
        length = LENGTHS[unit]
        code = f"({{1}} // {length} - {{0}} // {length})"
    elif unit in MONTH_LENGTHS:
        length = MONTH_LENGTHS[unit]
        code = f"((month_count({{1}}) - 1) // {length} - (month_count({{0}}) - 1) // {length})"
    else:
        raise error(node, f"'{unit}' is not a unit of time", "'minute', 'hour', 'day', …")
    return Typed(Call(code, (start.expr, end.expr)), INT)
