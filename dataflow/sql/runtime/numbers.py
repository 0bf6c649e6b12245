"""The functions that generated code calls: DuckDB's meaning, value by value, on values that are not NULL.

Those marked raw take NULLs. Text is compared by code point, which is the order of its UTF-8 bytes.
NaN is one object, `NAN`, so that rows with it stay equal to themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from dataflow.sql.runtime.calendar import DAY, SECOND, strftime, year
from dataflow.sql.runtime.limits import LONGEST, LONGEST_TEXT

__all__ = [
    "INF", "NAN", "bool_text", "ceil", "concat", "concat_ws", "cos", "date_text", "decimal_text", "divide", "exp",
    "flagged", "float_modulo", "float_text", "float_to_decimal", "float_to_whole", "floor", "greatest", "int_divide",
    "int_modulo", "int_multiply", "joined_text", "least", "left", "ln", "log2", "log10", "lower", "one_nan",
    "pad_left", "pad_right", "power", "repeat", "replace", "right", "round_int", "round_scaled", "round_to", "sign",
    "sin", "span", "split_part", "sqrt", "substring", "tan", "time_text", "timestamp_of", "to_milliseconds_of",
    "trim_both", "trim_left", "trim_right", "trunc", "upper", "weeks",
]  # fmt: skip

NAN = math.nan
INF = math.inf
LARGEST = 2**127
FARTHEST = 2**32 - 1
"""No place in a text, and no length of a part, is beyond."""


# numbers


def one_nan(value: float) -> float:
    return value if value == value else NAN  # noqa: PLR0124  (NaN)


def divide(left: float, right: float) -> float:
    if right:
        return one_nan(left / right)
    if not left or left != left:  # noqa: PLR0124  (NaN)
        return NAN
    return INF if (left > 0) == (math.copysign(1.0, right) > 0) else -INF


def int_divide(left: int, right: int) -> int | None:
    if not right:
        return None
    quotient = abs(left) // abs(right)
    if (left < 0) != (right < 0):
        return -quotient
    return quotient if quotient != 2**63 or right != -1 else None


def int_modulo(left: int, right: int) -> int | None:
    if not right:
        return None
    if right == -1 and left == -(2**63):
        return None
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def float_modulo(left: float, right: float) -> float:
    if not right or math.isinf(left):
        return NAN
    return one_nan(math.fmod(left, right))


def power(base: float, exponent: float) -> float:
    try:
        return one_nan(math.pow(base, exponent))
    except OverflowError:
        return -INF if base < 0 and exponent % 2 == 1 else INF
    except ValueError:
        if base:
            return NAN
        return math.copysign(INF, base) if exponent % 2 == 1 else INF


def guarded(function: Callable[[float], float]) -> Callable[[float], float]:
    def call(value: float) -> float:
        try:
            return one_nan(function(value))
        except OverflowError:
            return INF
        except ValueError:
            return NAN

    return call


sqrt, exp, sin, cos, tan = (guarded(f) for f in (math.sqrt, math.exp, math.sin, math.cos, math.tan))


def logarithm(function: Callable[[float], float]) -> Callable[[float], float]:
    def call(value: float) -> float:
        if value > 0:
            return function(value)
        return -INF if value == 0 else NAN

    return call


ln, log10, log2 = logarithm(math.log), logarithm(math.log10), logarithm(math.log2)


def whole(function: Callable[[float], int]) -> Callable[[float], float]:
    def call(value: float) -> float:
        return math.copysign(float(function(value)), value) if math.isfinite(value) else value

    return call


ceil, floor, trunc = whole(math.ceil), whole(math.floor), whole(math.trunc)


def half_away(value: float) -> float:
    if not math.isfinite(value) or abs(value) >= 4503599627370496.0:
        return value
    down = math.floor(abs(value))
    return math.copysign(down + (abs(value) - down >= 0.5), value)


def round_to(value: float, digits: int) -> float:
    if digits == 0:
        return half_away(value)
    if not math.isfinite(value) or digits > 308:
        return value
    if digits < -308:
        return 0.0
    power = 10.0 ** abs(digits)
    scaled = value * power if digits > 0 else value / power
    if not math.isfinite(scaled):
        return value
    rounded = half_away(scaled)
    return rounded / power if digits > 0 else rounded * power


def round_scaled(value: int, digits: int) -> int:
    """Round a decimal's int to a multiple of 10**digits, halves away from zero, and drop those digits."""
    unit: int = 10**digits
    quotient = (abs(value) + unit // 2) // unit
    return quotient if value >= 0 else -quotient


def round_int(value: int, digits: int) -> int | None:
    """NULL where it grows beyond 64 bits."""
    if digits < -40:
        return 0
    found = value if digits >= 0 else round_scaled(value, -digits) * int(10**-digits)
    return found if -(2**63) <= found < 2**63 or not -(2**63) <= value < 2**63 else None


def sign(value: float) -> int:
    return (value > 0) - (value < 0)


def float_to_whole(value: float, least: int, most: int) -> int | None:
    """Halves go to the even number. NULL where DuckDB would stop: beyond what a type holds."""
    if not math.isfinite(value):
        return None
    found = round(value)
    return found if least <= found <= most else None


def weeks(start: int, end: int) -> int:
    """Whole weeks from one day to another, as DuckDB 2 counts them: not the Mondays that lie between."""
    days = end // DAY - start // DAY
    return days // 7 if days >= 0 else -(-days // 7)


def int_multiply(left: int, right: int) -> int | None:
    """NULL where DuckDB would stop."""
    product = left * right
    return product if -LARGEST < product < LARGEST else None


def float_to_decimal(value: float, digits: int) -> int | None:
    """The int of a decimal; halves go away from zero, after the shift has been made in floats."""
    moved = value * 10.0**digits
    return int(half_away(moved)) if -1e38 < moved < 1e38 else None


def span(micros: int) -> int | None:
    """NULL beyond the 64 bits of an interval."""
    return micros if -(2**63) <= micros < 2**63 else None


def to_milliseconds_of(micros: int) -> int | None:
    """Of a time, in milliseconds, halves away from zero; NULL where that has no room to round."""
    if micros >= 2**63 - 500:
        return None
    found = (abs(micros) + 500) // 1000
    return found if micros >= 0 else -found


def timestamp_of(seconds: float) -> int | None:
    return round(seconds * SECOND) if -9.3e12 < seconds < 9.3e12 else None


def repeat(text: str, count: int) -> str | None:
    if not text or count <= 0:
        return ""
    return text * count if len(text) * count <= LONGEST else None


def greatest(*values: Any) -> Any:
    """Raw. NULLs are skipped."""
    best = None
    for value in values:
        if value is not None and (best is None or value > best or value != value):  # noqa: PLR0124  (NaN)
            best = value
    return best


def least(*values: Any) -> Any:
    """Raw. NULLs are skipped."""
    best = None
    for value in values:
        if value is not None and (best is None or value < best or best != best):  # noqa: PLR0124  (NaN)
            best = value
    return best


def flagged(value: Any) -> tuple[bool, Any]:
    """Raw. A value that may be NULL as one that is not, and can be compared."""
    return value is None, value


# text


def _fold(text: str, fold: Callable[[str], str]) -> str:
    if text.isascii():
        return fold(text)
    return "".join(f if len(f := fold(c)) == 1 else c for c in text)


def upper(text: str) -> str:
    return _fold(text, str.upper).replace("ß", "ẞ") if not text.isascii() else text.upper()


def lower(text: str) -> str:
    return _fold(text.replace("İ", "i"), str.lower) if not text.isascii() else text.lower()


def substring(text: str, start: int, length: int | None = None) -> str | None:
    """NULL where DuckDB would stop: a place or a length beyond 32 bits."""
    if abs(start) > FARTHEST or (length is not None and abs(length) > FARTHEST):
        return None
    size = len(text)
    begin = start - 1 if start > 0 else (size + start if start < 0 else -1)
    if length is None:
        return text[max(begin, 0) :]
    if length < 0:
        begin, length = begin + length, -length
    return text[max(begin, 0) : max(begin + length, 0)]


def left(text: str, count: int) -> str:
    return text[:count] if count >= 0 else text[: max(len(text) + count, 0)]


def right(text: str, count: int) -> str:
    if count >= 0:
        return text[max(len(text) - count, 0) :]
    return text[-count:]


def pad_left(text: str, size: int, fill: str) -> str | None:
    if size > LONGEST or (size > len(text) and not fill):
        return None
    return (_fill(size - len(text), fill) + text)[: max(size, 0)] if len(text) < size else text[: max(size, 0)]


def pad_right(text: str, size: int, fill: str) -> str | None:
    if size > LONGEST or (size > len(text) and not fill):
        return None
    return text + _fill(size - len(text), fill) if len(text) < size else text[: max(size, 0)]


def _fill(size: int, fill: str) -> str:
    return (fill * (size // len(fill) + 1))[:size]


def split_part(text: str, separator: str, index: int) -> str:
    parts = text.split(separator) if separator else list(text) or [""]
    at = index - 1 if index > 0 else len(parts) + index if index < 0 else -1
    return parts[at] if 0 <= at < len(parts) else ""


def replace(text: str, old: str, new: str) -> str | None:
    """NULL where the text would grow too long."""
    if not old:
        return text
    more, size = len(new) - len(old), len(text)
    if more > 0 and size + size // len(old) * more > LONGEST_TEXT and size + text.count(old) * more > LONGEST_TEXT:
        return None
    return text.replace(old, new)


def joined_text(left: str, right: str) -> str | None:
    """Both, one after the other; NULL where that is too long."""
    return left + right if len(left) + len(right) <= LONGEST_TEXT else None


def bounded_join(*values: str, separator: str = "") -> str | None:
    """Texts one after the other; NULL where that is too long."""
    size = sum(map(len, values)) + len(separator) * max(len(values) - 1, 0)
    return separator.join(values) if size <= LONGEST_TEXT else None


def trim_left(text: str, letters: str) -> str:
    """Without those of `letters` that it begins with."""
    if len(letters) < 16:
        return text.lstrip(letters) if letters else text
    unwanted = set(letters)
    return text[next((at for at, letter in enumerate(text) if letter not in unwanted), len(text)) :]


def trim_right(text: str, letters: str) -> str:
    if len(letters) < 16:
        return text.rstrip(letters) if letters else text
    unwanted = set(letters)
    return text[: next((at for at in range(len(text), 0, -1) if text[at - 1] not in unwanted), 0)]


def trim_both(text: str, letters: str) -> str:
    return trim_right(trim_left(text, letters), letters)


def concat(*values: str | None) -> str | None:
    """Raw. NULLs are skipped."""
    return bounded_join(*[v for v in values if v is not None])


def concat_ws(separator: str | None, *values: str | None) -> str | None:
    """Raw. NULLs are skipped."""
    return None if separator is None else bounded_join(*[v for v in values if v is not None], separator=separator)


# casts


def float_text(value: float) -> str:
    if value != value:  # noqa: PLR0124  (NaN)
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return repr(value)


def bool_text(value: bool) -> str:
    return "true" if value else "false"


def decimal_text(value: int, scale: int, least: int) -> str:
    """At least so many digits before the point."""
    if not scale:
        return str(value)
    digits = f"{abs(value):0{scale + least}d}"
    return f"{'-' if value < 0 else ''}{digits[:-scale]}.{digits[-scale:]}"


def time_text(value: int) -> str:
    fraction = f".{value % SECOND:06d}".rstrip("0") if value % SECOND else ""
    return date_text(value) + strftime(value, " %H:%M:%S") + fraction


def date_text(value: int) -> str:
    before = year(value)
    if before > 0:
        return strftime(value, "%Y-%m-%d")
    return f"{1 - before:04d}" + strftime(value, "-%m-%d (BC)")
