"""Units of time: DuckDB's names for them, and what each means for a part, a truncation and a difference of times.

A meaning is Python code with `{0}` (and `{1}`) for times, over the names that `namespace.py` has. It stands in a plan
where the unit is written; where the unit is a column, `part_by` and its like look it up by name, row by row.
Source: DuckDB 2.0.0, which was asked for every name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from dataflow.sql.runtime import calendar, numbers, scalars
from dataflow.sql.runtime.exports import exports

__all__ = [
    "difference_by", "difference_by_zoned", "elapsed_by", "elapsed_by_zoned", "part_by", "part_by_zoned",
    "truncated_by", "truncated_by_zoned",
]  # fmt: skip

UNITS: dict[str, str] = {
    "microsecond": "microseconds us usec usecs usecond useconds",
    "millisecond": "milliseconds ms msec msecs msecond mseconds",
    "second": "seconds sec secs s", "minute": "minutes min mins m", "hour": "hours hr hrs h",
    "day": "days d dayofmonth", "week": "weeks w weekofyear", "month": "months mon mons", "quarter": "quarters",
    "year": "years yr yrs y", "decade": "decades dec decs", "century": "centuries cent c",
    "millennium": "millennia millenniums millenium mil mils", "dow": "dayofweek weekday", "isodow": "",
    "doy": "dayofyear", "isoyear": "", "yearweek": "", "era": "", "epoch": "", "julian": "jd", "timezone": "",
    "timezone_hour": "", "timezone_minute": "",
}  # fmt: skip
"""The units, and their other names, the plural first."""
NAMES: dict[str, str] = {name: unit for unit, names in UNITS.items() for name in (unit, *names.split())}
"""Each name of a unit, in small letters, and the unit."""

LENGTHS = {
    "microsecond": 1, "millisecond": 1000, "second": 10**6, "minute": 60 * 10**6, "hour": 3600 * 10**6,
    "day": 86400 * 10**6, "week": 7 * 86400 * 10**6,
}  # fmt: skip
MONTH_LENGTHS = {"month": 1, "quarter": 3, "year": 12, "decade": 120, "century": 1200, "millennium": 12000}
KEYWORDS = frozenset(name for unit in (*LENGTHS, *MONTH_LENGTHS) for name in (unit, UNITS[unit].split()[0]))
"""What may stand after INTERVAL and a count."""

PARTS = {
    "year": "year({0})", "month": "month({0})", "quarter": "quarter({0})", "day": "day_of_month({0})",
    "doy": "day_of_year({0})", "week": "iso_week({0})", "isoyear": "iso_year({0})", "dow": "(({0} // DAY + 4) % 7)",
    "isodow": "(({0} // DAY + 3) % 7 + 1)", "hour": "({0} // HOUR % 24)", "minute": "({0} // MINUTE % 60)",
    "second": "({0} // SECOND % 60)", "millisecond": "({0} // 1000 % 60000)", "microsecond": "({0} % MINUTE)",
    "epoch": "({0} / SECOND)", "decade": "decade({0})", "century": "century({0})", "millennium": "millennium({0})",
    "era": "int(year({0}) > 0)", "yearweek": "year_week({0})", "julian": "julian({0})",
}  # fmt: skip
ZONED_PARTS = {**PARTS, "year": "era_year({0})", "decade": "(era_year({0}) // 10)"}
"""Parts of times with a zone, where years before Christ are counted from 1, without a sign."""
REALS = frozenset({"epoch", "julian"})
"""Parts that are floats."""

WHOLE = {"dow": "day", "isodow": "day", "doy": "day", "julian": "day", "epoch": "second", "yearweek": "week"}
"""Units that stand for another one where times are truncated, or boundaries are counted."""


def truncation(unit: str, *, zoned: bool) -> str | None:
    """The code that truncates `{0}`; None where there is none."""
    unit = WHOLE.get(unit, unit)
    if unit in ("week", "isoyear"):
        return f"moment(trunc_{unit}({{0}}))"
    if unit in LENGTHS:
        return f"({{0}} // {LENGTHS[unit]} * {LENGTHS[unit]})"
    if unit not in MONTH_LENGTHS:
        return None
    by = "trunc_era" if zoned and MONTH_LENGTHS[unit] > 12 else "trunc_month"
    return f"moment({by}({{0}}, {MONTH_LENGTHS[unit]}))"


def difference(unit: str, *, zoned: bool) -> str | None:
    """The code that counts a unit's boundaries from `{0}` to `{1}`; of weeks, the whole ones."""
    if zoned and unit == "yearweek":
        return f"((trunc_week({{1}}) - trunc_week({{0}})) // {LENGTHS['week']})"
    unit = WHOLE.get(unit, unit)
    if unit == "week":
        return "weeks({0}, {1})"
    if unit == "microsecond":
        return "span({1} - {0})"
    if zoned and LENGTHS.get(unit, LENGTHS["day"]) < LENGTHS["day"]:
        return f"span({{1}} - {{0}}) and {{1}} // {LENGTHS[unit]} - {{0}} // {LENGTHS[unit]}"
    if unit in LENGTHS:
        return f"({{1}} // {LENGTHS[unit]} - {{0}} // {LENGTHS[unit]})"
    return _months_apart(unit, zoned) if unit in MONTH_LENGTHS else None


def _months_apart(unit: str, zoned: bool) -> str:
    """Without a zone, what is counted from year 0 is cut toward it."""
    length = MONTH_LENGTHS[unit]
    if zoned and length > 12:
        return f"int_divide(whole_months_back(trunc_era({{0}}, {length}), trunc_era({{1}}, {length})), {length})"
    if zoned or unit == "month":
        return f"((month_count({{1}}) - 1) // {length} - (month_count({{0}}) - 1) // {length})"
    if unit == "quarter":
        return "(int_divide(month_count({1}) - 1, 3) - int_divide(month_count({0}) - 1, 3))"
    return f"(int_divide(year({{1}}), {length // 12}) - int_divide(year({{0}}), {length // 12}))"


def elapsed(unit: str, *, zoned: bool) -> str | None:
    """The code that counts whole units from `{0}` to `{1}`."""
    unit = WHOLE.get(unit, unit)
    cut = "_cut" if zoned and LENGTHS.get(unit, LENGTHS["hour"]) >= LENGTHS["hour"] else ""
    if unit == "hour" and zoned:
        return f"span({{1}} - {{0}}) and whole_units_cut({{0}}, {{1}}, {LENGTHS[unit]})"
    if unit in LENGTHS:
        return f"whole_units{cut}({{0}}, {{1}}, {LENGTHS[unit]})"
    if unit not in MONTH_LENGTHS:
        return None
    months = "whole_months_cut" if cut else "whole_months"
    return f"int_divide({months}({{0}}, {{1}}), {MONTH_LENGTHS[unit]})"


# by a name that a row holds; NULL where DuckDB would stop


@cache
def _function(code: str) -> Callable[..., Any]:
    found: Callable[..., Any] = eval("lambda a, b=0: " + code.format("a", "b"), exports(calendar, numbers, scalars))
    return found


def _by(codes: Mapping[str, str | None]) -> Callable[..., Any]:
    def apply(name: str, *times: int) -> Any:
        code = codes.get(NAMES.get(name.lower(), ""))
        return None if code is None else _function(code)(*times)

    return apply


def _real(by: Callable[..., Any]) -> Callable[..., float | None]:
    def apply(name: str, time: int) -> float | None:
        found = by(name, time)
        return None if found is None else float(found)

    return apply


def _codes(meaning: Callable[..., str | None], *, zoned: bool) -> dict[str, str | None]:
    return {unit: meaning(unit, zoned=zoned) for unit in NAMES.values()}


part_by, part_by_zoned = _real(_by(PARTS)), _real(_by(ZONED_PARTS))
truncated_by, truncated_by_zoned = (_by(_codes(truncation, zoned=zoned)) for zoned in (False, True))
difference_by, difference_by_zoned = (_by(_codes(difference, zoned=zoned)) for zoned in (False, True))
elapsed_by, elapsed_by_zoned = (_by(_codes(elapsed, zoned=zoned)) for zoned in (False, True))
