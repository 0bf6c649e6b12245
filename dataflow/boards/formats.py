"""Whether a board's `format` shows values of a type: told by what it produces. Pure.

Numbers take Python's format specs, times strftime's. A spec may be well-formed and still no use: one that pads to a
billion characters, or `0.0`, which shows 21.7 as 2e+01. So the widths are read first, and then samples are shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

WIDEST, MOST_DECIMALS, LONGEST = 40, 20, 60
"""The width and the decimals that a spec may ask for, and how long what it shows may be: characters."""

_CONTROLS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
_SPEC = re.compile(r"(?:.?[<>=^])?[-+ ]?z?#?0?(?P<width>\d*)[,_]?(?:\.(?P<decimals>\d+))?(?P<type>[A-Za-z%]?)")
_POWERS = frozenset("eEgGnaAxX")        # who writes these wants powers of ten or letters
_SAMPLES: Mapping[str, tuple[Any, ...]] = {
    "int": (0, 7, -42, 1_234, 98_765, 1_234_567, 10**12, -(2**63)),
    "float": (21.7, 0.0, 0.5, -3.25, 1_234.5, 98_765.4, 1_234_567.8),
    "text": ("a",),
}
_MOMENT = datetime(2026, 11, 23, 14, 5, 9, 123456, tzinfo=UTC)
_DIRECTIVES = frozenset("aAbBcdDeFfgGhHIjklmMnpPrRSstTuUVwWxXyYzZ%")


@lru_cache(maxsize=1024)
def check_format(spec: str | None, type: str) -> str | None:
    """What is wrong with a format for values of this type, in words; None where nothing is."""
    if not spec:
        return None
    if _CONTROLS.search(spec):
        return "a format is one line, without control characters"
    if len(spec) > LONGEST:
        return f"a format has at most {LONGEST} characters"
    if type != "timestamp" and type not in _SAMPLES:
        return f"a format has no meaning for {type}, only for int, float and timestamp"
    why = _time_problem(spec) if type == "timestamp" else _number_problem(spec, type)
    return None if why is None else f'"{spec}" is no format for {type}{why}'


def _number_problem(spec: str, type: str) -> str | None:
    """": " and the reason; empty where the spec says itself what is wrong with it."""
    parts = _SPEC.fullmatch(spec)
    if parts is None:
        return ""
    if _number(parts["width"]) > WIDEST:
        return f": it is wider than {WIDEST} characters"
    if _number(parts["decimals"]) > MOST_DECIMALS:
        return f": it has more than {MOST_DECIMALS} decimals"
    for value in _SAMPLES[type]:
        try:
            shown = format(value, spec)
        except (ValueError, TypeError, OverflowError):
            return ""
        if type != "text" and "e" in shown.lower() and parts["type"] not in _POWERS:
            return f": it shows {value} as {shown.strip()}; one decimal is \".1f\""
        if len(shown) > 2 * LONGEST or not shown.isprintable():
            return f": it shows {value} as something that is no number"
    return None


def _time_problem(spec: str) -> str | None:
    for match in re.finditer(r"%[-_0^#:]?(.?)", spec):
        if not match[1] or match[1] not in _DIRECTIVES:
            return f': "{match[0]}" is not a part of a time'
    shown = _MOMENT.strftime(spec)
    if "%" not in spec:
        return ""
    if len(shown) > LONGEST:
        return f": what it shows is longer than {LONGEST} characters"
    return None if shown.strip() else ": it shows nothing"


def _number(digits: str | None) -> int:
    return int(digits) if digits else 0
