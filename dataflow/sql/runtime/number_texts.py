"""How text reads as a number: TRY_CAST, value by value. What does not read, or does not fit, is None.

The forms are DuckDB's: underscores between digits, exponents, hexadecimal and binary whole numbers. Halves go away
from zero. All digits count: `EXACT` is the one context that decimals are computed in.
"""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_HALF_UP, Context, Decimal

from dataflow.sql.runtime.numbers import INF, NAN

__all__ = ["try_decimal", "try_float", "try_int", "try_whole"]

EXACT = Context(prec=MAX_PREC, rounding=ROUND_HALF_UP, Emin=MIN_EMIN, Emax=MAX_EMAX)
SPACES = " \t\n\v\f\r"
DIGITS = r"\d+(?:_\d+)*"
FLOAT_TEXT = re.compile(rf"[+-]?(?:{DIGITS}\.?(?:{DIGITS})?|\.{DIGITS})(?:[eE](?P<exponent>[+-]?{DIGITS}))?", re.ASCII)
BASED = re.compile(r"0[xX][0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|0[bB][01]+(?:_[01]+)*")
ODD = {"inf": INF, "infinity": INF, "nan": NAN, "-inf": -INF, "-infinity": -INF, "-nan": NAN}
PLAIN = 40
"""A text shorter than that may be plain digits, which is what most are."""
MOST_DIGITS = 40
"""No whole number or decimal has as many before its point."""


def try_int(text: str) -> int | None:
    return try_whole(text, -(2**63), 2**63 - 1)


def try_whole(text: str, least: int, most: int) -> int | None:
    """A whole number from `least` to `most`. Where none is below zero, only plain digits may have a minus."""
    if len(text) < PLAIN and text.removeprefix("-").isdecimal() and text.isascii():
        number = int(text)
        return number if least <= number <= most else None
    based = text.lstrip(SPACES)
    if based[:1] == "0" and BASED.fullmatch(based):
        number = int(based, 0)
    else:
        exact = _number(text)
        if exact is None or exact.adjusted() > MOST_DIGITS:
            return None
        if not least and exact.is_signed() and not text.strip(SPACES)[1:].isdecimal():
            return None
        number = int(EXACT.to_integral_value(exact))
    return number if least <= number <= most else None


def _number(text: str) -> Decimal | None:
    found = FLOAT_TEXT.fullmatch(text.strip(SPACES))
    if found is None or (found["exponent"] and not _is_exponent(found["exponent"])):
        return None
    number = Decimal(found[0].replace("_", ""))
    return number or Decimal(0).copy_sign(number)


def _is_exponent(text: str) -> bool:
    """Whether 16 bits hold it, as in DuckDB."""
    digits = text.replace("_", "").lstrip("+-").lstrip("0")
    return len(digits) < 6 and int(digits or 0) < 2**15 + (text[:1] == "-")


def try_decimal(text: str, width: int, scale: int) -> int | None:
    """The int of a decimal."""
    exact = _kept(text, width, scale)
    if exact is None or exact.adjusted() > MOST_DIGITS:
        return None
    number = int(EXACT.to_integral_value(EXACT.scaleb(exact, scale)))
    return number if -(10**width) < number < 10**width else None


def _kept(text: str, width: int, scale: int) -> Decimal | None:
    """The number. With an exponent, DuckDB 2.0.0 takes no more digits than the type has, before that is applied."""
    exact, parts = _number(text), re.split("[eE]", text)
    if exact is None or len(parts) == 1:
        return exact
    whole, _, fraction = parts[0].strip(SPACES).replace("_", "").lstrip("+-").partition(".")
    whole = whole.lstrip("0")
    if len(whole) > width - scale:
        return None
    mantissa = Decimal(f"{whole or 0}.{fraction[: width - len(whole)]}").copy_sign(exact)
    return EXACT.scaleb(mantissa, int(parts[1].replace("_", ""))) if mantissa else mantissa


def try_float(text: str) -> float | None:
    text = text.strip(SPACES)
    if text[:1] == "+":
        text = text[1:]
        if text[:1] == "+":
            return None
    if FLOAT_TEXT.fullmatch(text):
        return float(text.replace("_", ""))
    return ODD.get(text.lower())
