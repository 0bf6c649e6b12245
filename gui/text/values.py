"""How values become text on the screen: pure functions, no Qt.

`formatter` makes one function for a column, so that a table pays for choosing only once; `format_value` is
the same for one value. Neither ever raises: a value of another type than its column's is shown as it stands,
and a bad format counts as none (`check_format` tells it when the board is checked). Numbers have a true minus
sign and groups parted by narrow no-break spaces; without a format, whole numbers are grouped from 10 000
upwards, so that years and flight numbers stay as they are. Timestamps are shown in the board's zone. Text is
one line, and never so long that painting it could be felt.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

import msgspec

from dataflow.board import ColumnSpec
from dataflow.boards.formats import LONGEST, check_format
from dataflow.exchange.spreadsheet import neutralise
from dataflow.times import local_text

Formatter = Callable[[Any], str]

NARROW = "\u202f"   # narrow no-break space
MINUS = "\u2212"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TYPOGRAPHY = str.maketrans({"-": MINUS, ",": NARROW, "_": NARROW})
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_BREAKS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")
_LONGEST = 500
_LARGEST = 10**40
_SIGNS = frozenset({"+", "-"})
_DIGITS = re.compile("[1-9]")


def format_value(value: Any, type: str, spec: ColumnSpec | None, zone: tzinfo, *, null: str = "") -> str:
    """`value` as it is shown in a cell or on a card; `null` stands for NULL. The unit is not part of it."""
    return formatter(type, spec.format if spec else None, zone, null=null)(value)


def formatter(type: str, format: str | None, zone: tzinfo, *, null: str = "") -> Formatter:
    """The function that shows a column's values."""
    show = _for_type(type, None if check_format(format, type) else format, zone)

    def shown(value: Any) -> str:
        if value is None:
            return null
        try:
            return show(value)
        except (ValueError, TypeError, ArithmeticError, AttributeError):
            return _text(value)

    return shown


def is_number(type: str) -> bool:
    """Whether values of the type are set flush right."""
    return type in {"int", "float", "interval"}


def one_line(text: str) -> str:
    """Any text as it can be painted: one line, and not longer than anybody reads."""
    return _text(text)


def copied_value(value: Any, type: str, zone: tzinfo) -> str:
    """The value as a spreadsheet takes it from the clipboard: as `plain_value`, but text has its lines, and is none of
    its formulas.
    """
    if type in {"int", "float"} and not isinstance(value, str):
        return plain_value(value, type, zone)
    return neutralise(value if isinstance(value, str) else plain_value(value, type, zone))


def plain_value(value: Any, type: str, zone: tzinfo) -> str:
    """The value as a spreadsheet reads it back: plain digits, ISO 8601 times in the zone, one line."""
    try:
        if value is None:
            return ""
        if type == "timestamp":
            return local_text(value, zone, "%Y-%m-%d %H:%M:%S")
        if type == "bool":
            return "true" if value else "false"
        if type == "json":
            return msgspec.json.encode(value).decode()
    except (ValueError, TypeError, ArithmeticError):
        pass
    return _BREAKS.sub(" ", _shown(value))


def local_time(time_us: int, zone: tzinfo) -> datetime:
    """Microseconds since 1970-01-01 UTC as a time in the zone. OverflowError outside the years 1 to 9999: to show a
    time is `local_text`'s, which has none.
    """
    return (_EPOCH + timedelta(microseconds=time_us)).astimezone(zone)


def _for_type(type: str, spec: str | None, zone: tzinfo) -> Formatter:
    if type == "timestamp":
        return _time(spec, zone)
    if type in {"int", "float"}:
        return _number_by(spec) if spec else _number
    return {"bool": _bool, "interval": _interval, "json": _json}.get(type, _text)


def _number_by(spec: str) -> Formatter:
    def show(value: Any) -> str:
        if isinstance(value, float) and not math.isfinite(value):
            return _number(value)
        try:
            text = format(value, spec)
        except OverflowError:       # a whole number beyond all floats
            return _number(value)
        if len(text) > LONGEST:
            return _number(value)       # 1.7e308 with one decimal has 300 digits
        if text[:1] in _SIGNS and not _DIGITS.search(text):
            text = text[1:]     # neither −0 nor +0
        return text.translate(_TYPOGRAPHY).replace("%", NARROW + "%")

    return show


def _number(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return _whole(value).translate(_TYPOGRAPHY)
    if not isinstance(value, float):
        return _text(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else MINUS + "∞"
    return _float(value).translate(_TYPOGRAPHY)


def _whole(value: int) -> str:
    """All digits, as far as they can be read; beyond, in powers of ten."""
    if abs(value) >= _LARGEST:
        return f"{Decimal(value):.2e}"
    return f"{value:,}" if abs(value) >= 10_000 else str(value)


def _float(value: float) -> str:
    """Two decimals, four below 1, no trailing zeros; very large and very small ones in powers of ten."""
    size = abs(value)
    if size >= 1e15 or 0 < size < 1e-4:
        return f"{value:.3g}"
    digits = f"{value:.4f}" if size < 1 else f"{value:.2f}" if size < 10_000 else f"{value:,.2f}"
    return digits.rstrip("0").rstrip(".") if value else "0"


def _time(spec: str | None, zone: tzinfo) -> Formatter:
    if spec:
        return lambda value: local_text(value, zone, spec)
    return lambda value: local_text(value, zone, "%d %b %H:%M").removeprefix("0")


def _interval(value: Any) -> str:
    """The two largest units: "2 h 5 min", "45 s", "−3 d"; below a second, milliseconds."""
    sign = MINUS if value < 0 else ""
    seconds, rest = divmod(abs(int(value)), 1_000_000)
    if seconds == 0:
        return f"{sign}{rest // 1000}{NARROW}ms" if rest else f"0{NARROW}s"
    first = next(at for at, (_, size) in enumerate(_UNITS) if seconds >= size)
    parts = []
    for unit, size in _UNITS[first : first + 2]:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{NARROW}{unit}")
    return sign + " ".join(parts)


def _bool(value: Any) -> str:
    return "yes" if value is True else "no" if value is False else _text(value)


def _json(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(item, (str, int, float)) for item in value):
        return _text(", ".join(map(str, value)))
    return _text(value if isinstance(value, str) else msgspec.json.encode(value).decode())


def sentence(text: str) -> str:
    """Return the text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def cut(text: str, most: int = _LONGEST) -> str:
    """The text as far as it is laid out at all: what is beyond `most` letters is a mark."""
    return text if len(text) <= most else text[:most] + "…"


def _shown(value: Any) -> str:
    """Python refuses to write whole numbers of thousands of digits."""
    try:
        return value if isinstance(value, str) else str(value)
    except ValueError:
        return "a number of thousands of digits"


def _text(value: Any) -> str:
    return _BREAKS.sub(" ", cut(_shown(value)))
