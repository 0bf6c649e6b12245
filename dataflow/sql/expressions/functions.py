"""The catalogue of scalar functions: name, parameter types, result, code. What is not here is refused.

A parameter type is a column type, `number` (int, decimal or float, taken as float) or `any`. Overloads are
tried in order; text literals and NULL fit everywhere they can be read.
"""

from __future__ import annotations

import difflib
from typing import NamedTuple

from sqlglot import exp

from dataflow.sql.expressions.casts import READ, Typed, cast, rescale
from dataflow.sql.parsing.parse import error, refused, short
from dataflow.sql.plan import types
from dataflow.sql.plan.nodes import Call
from dataflow.sql.plan.types import BOOL, DATE, FLOAT, INT, INTERVAL, NULL, TEXT, TIMESTAMP


class Overload(NamedTuple):
    params: tuple[str, ...]
    result: str
    code: str
    nullable: bool = False


def one(result: str, code: str, *params: str, nullable: bool = False) -> list[Overload]:
    return [Overload(params, result, code, nullable)]


def floats(name: str) -> list[Overload]:
    return one(FLOAT, f"{name}({{0}})", FLOAT)


def span(unit: int) -> list[Overload]:
    return one(INTERVAL, f"interval_of({{0}}, {unit})", INT, nullable=True)


def pair(name: str) -> list[Overload]:
    """Of two whole numbers."""
    return one(INT, f"{name}({{0}}, {{1}})", INT, INT, nullable=True)


FUNCTIONS: dict[str, list[Overload]] = {
    "upper": one(TEXT, "upper({0})", TEXT), "lower": one(TEXT, "lower({0})", TEXT),
    "length": one(INT, "len({0})", TEXT), "strlen": one(INT, "len({0}.encode())", TEXT),
    "reverse": one(TEXT, "reverse({0})", TEXT),
    "substring": [Overload((TEXT, INT), TEXT, "substring({0}, {1})", True),
    Overload((TEXT, INT, INT), TEXT, "substring({0}, {1}, {2})", True)],
    "left": one(TEXT, "left({0}, {1})", TEXT, INT), "right": one(TEXT, "right({0}, {1})", TEXT, INT),
    "trim": [Overload((TEXT,), TEXT, "{0}.strip(' ')"),
    Overload((TEXT, TEXT), TEXT, "trim_both({0}, {1})")],
    "ltrim": [Overload((TEXT,), TEXT, "{0}.lstrip(' ')"),
    Overload((TEXT, TEXT), TEXT, "trim_left({0}, {1})")],
    "rtrim": [Overload((TEXT,), TEXT, "{0}.rstrip(' ')"),
    Overload((TEXT, TEXT), TEXT, "trim_right({0}, {1})")],
    "replace": one(TEXT, "replace({0}, {1}, {2})", TEXT, TEXT, TEXT, nullable=True),
    "split_part": one(TEXT, "split_part({0}, {1}, {2})", TEXT, TEXT, INT),
    "lpad": one(TEXT, "pad_left({0}, {1}, {2})", TEXT, INT, TEXT, nullable=True),
    "rpad": one(TEXT, "pad_right({0}, {1}, {2})", TEXT, INT, TEXT, nullable=True),
    "repeat": one(TEXT, "repeat({0}, {1})", TEXT, INT, nullable=True),
    "strpos": one(INT, "({0}.find({1}) + 1)", TEXT, TEXT),
    "contains": one(BOOL, "({1} in {0})", TEXT, TEXT),
    "starts_with": one(BOOL, "{0}.startswith({1})", TEXT, TEXT),
    "ends_with": one(BOOL, "{0}.endswith({1})", TEXT, TEXT),
    "sqrt": floats("sqrt"), "exp": floats("exp"), "ln": floats("ln"), "log10": floats("log10"), "log2": floats("log2"),
    "sin": floats("sin"), "cos": floats("cos"), "tan": floats("tan"),
    "radians": one(FLOAT, "one_nan({0} * 0.017453292519943295)", FLOAT),
    "degrees": one(FLOAT, "one_nan({0} * 57.29577951308232)", FLOAT),
    "power": one(FLOAT, "power({0}, {1})", FLOAT, FLOAT), "pi": one(FLOAT, "3.141592653589793"),
    "isnan": one(BOOL, "({0} != {0})", FLOAT),
    "epoch_us": [Overload((TIMESTAMP,), INT, "{0}"), Overload((INTERVAL,), INT, "{0}")],
    "epoch_ms": [Overload((TIMESTAMP,), INT, "to_milliseconds_of({0})", True),
    Overload((INTERVAL,), INT, "int_divide({0}, 1000)")],
    "dayname": one(TEXT, "day_name({0})", TIMESTAMP), "monthname": one(TEXT, "month_name({0})", TIMESTAMP),
    "to_timestamp": one(TIMESTAMP, "timestamp_of({0})", FLOAT, nullable=True),
    "cbrt": floats("cbrt"), "asin": floats("asin"), "acos": floats("acos"), "atan": floats("atan"),
    "sinh": floats("sinh"), "cosh": floats("cosh"), "tanh": floats("tanh"), "even": floats("even"),
    "atan2": one(FLOAT, "atan2({0}, {1})", FLOAT, FLOAT),
    "isinf": one(BOOL, "math.isinf({0})", FLOAT), "isfinite": one(BOOL, "math.isfinite({0})", FLOAT),
    "gcd": pair("gcd"), "lcm": pair("lcm"),
    "&": one(INT, "({0} & {1})", INT, INT), "|": one(INT, "({0} | {1})", INT, INT),
    "xor": one(INT, "({0} ^ {1})", INT, INT), "~": one(INT, "(~{0})", INT),
    "ascii": one(INT, "ascii_code({0})", TEXT), "unicode": one(INT, "code_point({0})", TEXT),
    "chr": one(TEXT, "character({0})", INT, nullable=True), "bit_length": one(INT, "(len({0}.encode()) * 8)", TEXT),
    "translate": one(TEXT, "translate({0}, {1}, {2})", TEXT, TEXT, TEXT),
    "array_extract": one(TEXT, "letter({0}, {1})", TEXT, INT, nullable=True),
    "array_slice": one(TEXT, "sliced({0}, {1}, {2})", TEXT, INT, INT),
    "overlay": one(TEXT, "overlay({0}, {1}, {2}, {3})", TEXT, TEXT, INT, INT, nullable=True),
    "md5": one(TEXT, "md5({0})", TEXT), "sha1": one(TEXT, "sha1({0})", TEXT),
    "sha256": one(TEXT, "sha256({0})", TEXT),
    "levenshtein": one(INT, "levenshtein({0}, {1})", TEXT, TEXT, nullable=True),
    "hex": [Overload((INT,), TEXT, "format({0} & 0xFFFFFFFFFFFFFFFF, 'X')"),
    Overload((TEXT,), TEXT, "hex_text({0})", True)],
    "bin": [Overload((INT,), TEXT, "format({0} & 0xFFFFFFFFFFFFFFFF, 'b')"),
    Overload((TEXT,), TEXT, "binary_text({0})", True)],
    "to_base": [Overload((INT, INT), TEXT, "to_base({0}, {1})", True),
    Overload((INT, INT, INT), TEXT, "to_base({0}, {1}, {2})", True)],
    "bit_count": one(INT, "bit_count({0})", INT),
    "asinh": floats("asinh"), "acosh": floats("acosh"), "atanh": floats("atanh"), "cot": floats("cot"),
    "fmod": one(FLOAT, "floored_modulo({0}, {1})", FLOAT, FLOAT), "log": one(FLOAT, "log({0}, {1})", FLOAT, FLOAT),
    "last_day": one(DATE, "moment(last_day({0}))", TIMESTAMP, nullable=True),
    "make_date": one(DATE, "make_date({0}, {1}, {2})", INT, INT, INT, nullable=True),
    "to_microseconds": span(1), "to_milliseconds": one(INTERVAL, "seconds_of({0} / 1000)", FLOAT, nullable=True),
    "to_seconds": one(INTERVAL, "seconds_of({0})", FLOAT, nullable=True), "to_minutes": span(60 * 10**6),
    "to_hours": span(3600 * 10**6), "to_days": span(86400 * 10**6), "to_weeks": span(7 * 86400 * 10**6),
}  # fmt: skip

ALIASES = {
    "ucase": "upper", "lcase": "lower", "len": "length", "char_length": "length",
    "substr": "substring",
    "prefix": "starts_with", "suffix": "ends_with", "instr": "strpos", "pow": "power",
    "ord": "unicode", "to_hex": "hex", "to_binary": "bin", "editdist3": "levenshtein",
}  # fmt: skip

CLASSES: dict[type[exp.Expr], tuple[str, tuple[str, ...]]] = {
    exp.Upper: ("upper", ("this",)), exp.Lower: ("lower", ("this",)), exp.Length: ("length", ("this",)),
    exp.Reverse: ("reverse", ("this",)), exp.Substring: ("substring", ("this", "start", "length")),
    exp.Left: ("left", ("this", "expression")), exp.Right: ("right", ("this", "expression")),
    exp.Replace: ("replace", ("this", "expression", "replacement")),
    exp.SplitPart: ("split_part", ("this", "delimiter", "part_index")),
    exp.Repeat: ("repeat", ("this", "times")),
    exp.StrPosition: ("strpos", ("this", "substr")), exp.Contains: ("contains", ("this", "expression")),
    exp.StartsWith: ("starts_with", ("this", "expression")), exp.EndsWith: ("ends_with", ("this", "expression")),
    exp.Sqrt: ("sqrt", ("this",)), exp.Exp: ("exp", ("this",)), exp.Ln: ("ln", ("this",)),
    exp.Sin: ("sin", ("this",)), exp.Cos: ("cos", ("this",)), exp.Tan: ("tan", ("this",)),
    exp.Radians: ("radians", ("this",)), exp.Degrees: ("degrees", ("this",)),
    exp.Pow: ("power", ("this", "expression")), exp.Pi: ("pi", ()), exp.IsNan: ("isnan", ("this",)),
    exp.Cbrt: ("cbrt", ("this",)), exp.Asin: ("asin", ("this",)), exp.Acos: ("acos", ("this",)),
    exp.Atan: ("atan", ("this",)), exp.Atan2: ("atan2", ("this", "expression")), exp.Sinh: ("sinh", ("this",)),
    exp.Cosh: ("cosh", ("this",)), exp.Tanh: ("tanh", ("this",)), exp.IsInf: ("isinf", ("this",)),
    exp.BitwiseAnd: ("&", ("this", "expression")), exp.BitwiseOr: ("|", ("this", "expression")),
    exp.BitwiseXor: ("xor", ("this", "expression")),
    exp.Ascii: ("ascii", ("this",)), exp.Unicode: ("unicode", ("this",)), exp.BitLength: ("bit_length", ("this",)),
    exp.Translate: ("translate", ("this", "from_", "to")), exp.LastDay: ("last_day", ("this",)),
    exp.DateFromParts: ("make_date", ("year", "month", "day")), exp.ToDays: ("to_days", ("this",)),
    exp.MD5: ("md5", ("this",)), exp.SHA: ("sha1", ("this",)),
    exp.Levenshtein: ("levenshtein", ("this", "expression")), exp.Asinh: ("asinh", ("this",)),
    exp.Acosh: ("acosh", ("this",)), exp.Atanh: ("atanh", ("this",)), exp.Cot: ("cot", ("this",)),
    exp.Dayname: ("dayname", ("this",)), exp.Monthname: ("monthname", ("this",)),
}  # fmt: skip
"""sqlglot's own nodes for functions of the catalogue, and the arguments that each reads."""

WILD = frozenset({
    "sqrt", "exp", "ln", "log10", "log2", "power", "sin", "cos", "tan", "cbrt", "asin", "acos", "atan", "atan2", "sinh",
    "cosh", "tanh", "even", "radians", "degrees", "fmod", "log", "cot", "asinh", "acosh", "atanh",
})  # fmt: skip
OTHERS = (
    "abs", "ceil", "floor", "round", "trunc", "sign", "mod", "greatest", "least", "coalesce", "ifnull",
    "nullif", "concat",
    "concat_ws", "regexp_matches", "regexp_replace",
    "regexp_extract", "date_trunc", "date_part", "extract", "date_diff", "time_bucket",
    "strftime", "timezone",
    "epoch", "now", "year", "month", "day", "hour", "minute", "second", "count", "sum", "avg", "min", "max", "arg_min",
    "arg_max", "latest", "earliest", "bool_and", "bool_or",
)  # fmt: skip
"""Functions that have rules of their own, for hints."""


def call(name: str, args: list[Typed], node: exp.Expr) -> Typed:
    """A function of the catalogue applied to typed arguments."""
    name = ALIASES.get(name, name)
    overloads = FUNCTIONS.get(name)
    if overloads is None:
        raise _unknown(name, node)
    if name == "bit_count" and args and (args[0].literal or node.find(exp.Cast) is not None):
        raise refused(node, f"how many bits has {short(node)}?", "bit_count of a column")
    for overload in overloads:
        fitted = _fit(args, overload.params, node)
        if fitted is not None:
            exprs = tuple(value.expr for value in fitted)
            return Typed(Call(overload.code, exprs, nullable=overload.nullable), overload.result, name in WILD)
    given = ", ".join(types.spoken(value.type) for value in args)
    known = " or ".join(f"{name}({', '.join(o.params)})" for o in overloads)
    raise error(node, f"{name}({given}) does not exist: {short(node)}", f"there is {known}")


def _unknown(name: str, node: exp.Expr) -> Exception:
    near = difflib.get_close_matches(name, [*FUNCTIONS, *ALIASES, *OTHERS], 1)
    return refused(node, f"unknown function '{name}'", f"did you mean '{near[0]}'?" if near else "")


def _fit(args: list[Typed], params: tuple[str, ...], node: exp.Expr) -> list[Typed] | None:
    if len(args) != len(params):
        return None
    fitted = [_fit_one(value, param, node) for value, param in zip(args, params, strict=True)]
    return None if None in fitted else [value for value in fitted if value is not None]


def _fit_one(value: Typed, param: str, node: exp.Expr) -> Typed | None:
    if value.type == param:
        return value
    if value.type == NULL:
        return cast(value, param, node)
    if param == FLOAT and types.is_number(value.type):
        return rescale(value, FLOAT)
    if param == TIMESTAMP and value.type in types.TIMES:
        return Typed(value.expr, TIMESTAMP)
    if value.type == TEXT and value.literal and param in READ and param != BOOL:
        return cast(value, param, node)
    return None
