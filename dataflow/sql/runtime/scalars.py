"""The functions that generated code calls for what is asked for less often: bits, angles, letters, parts of the
calendar. As in `numbers.py`, values are not NULL, and where DuckDB would stop the result is.
"""

from __future__ import annotations

import math

from dataflow.sql.runtime.calendar import (
    DAY,
    SECOND,
    add_months,
    date_day,
    date_of,
    days_from,
    iso_week,
    iso_year,
    month_count,
    month_days,
    year,
)  # fmt: skip
from dataflow.sql.runtime.numbers import INF, NAN, divide, guarded, log10, one_nan, span

__all__ = [
    "acos", "acosh", "ascii_code", "asin", "asinh", "atan", "atan2", "atanh", "bit_count", "cbrt", "century",
    "character", "code_point", "cosh", "cot", "day_moved", "decade", "even", "floored_modulo", "gcd", "interval_of",
    "julian", "last_day", "lcm", "log", "make_date", "millennium", "months_of", "seconds_of", "shift_left",
    "shift_right", "sinh", "tanh", "translate", "whole_months", "whole_months_back", "whole_months_cut",
    "whole_units", "whole_units_cut", "year_week",
]  # fmt: skip

asin, acos, atan, cosh, tanh = (guarded(f) for f in (math.asin, math.acos, math.atan, math.cosh, math.tanh))
asinh, acosh = guarded(math.asinh), guarded(math.acosh)

# numbers


def cbrt(value: float) -> float:
    return math.cbrt(value) if math.isfinite(value) else value


def sinh(value: float) -> float:
    try:
        return one_nan(math.sinh(value))
    except OverflowError:
        return math.copysign(INF, value)


def atan2(y: float, x: float) -> float:
    return one_nan(math.atan2(y, x))


def atanh(value: float) -> float:
    if abs(value) == 1:
        return math.copysign(INF, value)
    return one_nan(math.atanh(value)) if abs(value) < 1 else NAN


def cot(value: float) -> float:
    return divide(1.0, math.tan(value)) if math.isfinite(value) else NAN


def log(base: float, value: float) -> float:
    return divide(log10(value), log10(base))


def floored_modulo(left: float, right: float) -> float:
    """What is left of a division rounded down, told as DuckDB tells it."""
    times = divide(left, right)
    return one_nan(left - (float(math.floor(times)) if math.isfinite(times) else times) * right)


def bit_count(value: int) -> int:
    return (value & 0xFFFF_FFFF_FFFF_FFFF).bit_count()


def even(value: float) -> float:
    """Away from zero to the next even number."""
    if not math.isfinite(value):
        return value
    whole = math.ceil(abs(value))
    return math.copysign(float(whole + whole % 2), value)


def shift_left(value: int, by: int, bits: int, most: int) -> int | None:
    """Within so many bits. NULL where DuckDB would stop: below zero, or beyond them."""
    if value < 0 or by < 0:
        return None
    if by >= bits:
        return 0 if not value else None
    moved = value << by
    return moved if moved <= most else None


def shift_right(value: int, by: int, bits: int, most: int) -> int:
    return value >> by if 0 <= by < bits else 0


def gcd(one: int, two: int) -> int | None:
    found = math.gcd(one, two)
    return found if found < 2**63 else None


def lcm(one: int, two: int) -> int | None:
    found = math.lcm(one, two)
    return found if found < 2**63 else None


# text


def code_point(text: str) -> int:
    return ord(text[0]) if text else -1


def ascii_code(text: str) -> int:
    return ord(text[0]) if text else 0


def character(code: int) -> str | None:
    return chr(code) if 0 <= code < 0x110000 and not 0xD800 <= code < 0xE000 else None


def translate(text: str, old: str, new: str) -> str:
    """The first of the same letter in `old` counts; those without a partner in `new` go."""
    table: dict[int, str | None] = {}
    for at, letter in enumerate(old):
        table.setdefault(ord(letter), new[at] if at < len(new) else None)
    return text.translate(table)


# the calendar


def decade(value: int) -> int:
    found = year(value)
    return found // 10 if found >= 0 else -(-found // 10)


def _hundreds(value: int, size: int) -> int:
    found = year(value)
    return (found - 1) // size + 1 if found > 0 else -(-found // size) - 1


def century(value: int) -> int:
    return _hundreds(value, 100)


def millennium(value: int) -> int:
    return _hundreds(value, 1000)


def year_week(value: int) -> int:
    found = iso_year(value)
    return found * 100 + (iso_week(value) if found > 0 else -iso_week(value))


def last_day(value: int) -> int:
    date = date_of(value // DAY)
    return days_from(date.year, date.month, month_days(date.year, date.month)) * DAY


def whole_months(start: int, end: int) -> int:
    """From one time to another, as far as they are full."""
    if end < start:
        return -whole_months(end, start)
    found = month_count(end) - month_count(start)
    return found - (add_months(start, found) > end)


def whole_months_back(start: int, end: int) -> int:
    """As ICU counts them for times with a zone: also backwards from the start."""
    if end >= start:
        return whole_months(start, end)
    found = month_count(end) - month_count(start)
    return found + (add_months(start, found) < end)


def whole_months_cut(start: int, end: int) -> int:
    """Of times with a zone. ICU counts milliseconds, the start's down, the end's to zero."""
    return whole_months_back(start // 1000 * 1000, _to_zero(end, 1000) * 1000)


def whole_units(start: int, end: int, length: int) -> int | None:
    """How many lengths lie between; NULL where the microseconds are beyond 64 bits."""
    apart = span(end - start)
    return None if apart is None else _to_zero(apart, length)


def whole_units_cut(start: int, end: int, length: int) -> int:
    return _to_zero(_to_zero(end, 1000) * 1000 - start // 1000 * 1000, length)


def _to_zero(value: int, by: int) -> int:
    return value // by if value >= 0 else -(-value // by)


def day_moved(day: int, by: int) -> int | None:
    """A date so many days later; NULL beyond the 32 bits of a date."""
    found = date_day(day // DAY + by)
    return None if found is None else found * DAY


def julian(value: int) -> float:
    """The Julian date: days and their parts."""
    return (value + 210_866_803_200_000_000) / DAY


def interval_of(count: int, unit: int) -> int | None:
    """So many times a unit's microseconds; NULL beyond 64 bits."""
    found = count * unit
    return found if -(2**63) <= found < 2**63 else None


def months_of(count: int, unit: int) -> int | None:
    """So many times a unit's months; NULL beyond 32 bits."""
    found = count * unit
    return found if -(2**31) <= found < 2**31 else None


def make_date(year: int, month: int, day: int) -> int | None:
    if not (1 <= month <= 12 and 1 <= day <= month_days(year, month)):
        return None
    found = date_day(days_from(year, month, day))
    return None if found is None else found * DAY


def seconds_of(value: float) -> int | None:
    return round(value * SECOND) if -9.2e12 < value < 9.2e12 and value is not NAN else None
