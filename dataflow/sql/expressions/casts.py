"""How a value of one type becomes another: implicit meetings of types, CAST and TRY_CAST.

A CAST that can fail on a row (text to a number) would stop a live query, so it is refused in favour of TRY_CAST; on a
literal it is done once, here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from sqlglot import exp

from dataflow.sql.parsing.parse import error, refused, short
from dataflow.sql.plan import types
from dataflow.sql.plan.nodes import Call, Const, Expr
from dataflow.sql.plan.types import BOOL, DATE, FLOAT, INT, INTERVAL, JSON, LOCAL, NULL, TEXT, TIMESTAMP
from dataflow.sql.runtime import casting, number_texts
from dataflow.sql.runtime.namespace import SCALARS

LITERALS = {**SCALARS, "nan": math.nan, "inf": math.inf}
"""What a literal's own text may hold."""


class Typed(NamedTuple):
    """An expression with its type. `wild`: a float that may be infinite or NaN."""

    expr: Expr
    type: str
    wild: bool = False

    @property
    def constant(self) -> Any:
        """The value of a literal; None where it is not one (or is NULL)."""
        return self.expr.value if isinstance(self.expr, Const) else None

    @property
    def literal(self) -> bool:
        return isinstance(self.expr, Const)


PLAIN = {
    (INT, FLOAT): "float({0})", (INT, TEXT): "str({0})", (FLOAT, TEXT): "float_text({0})",
    (BOOL, TEXT): "bool_text({0})", (BOOL, INT): "int({0})", (INT, BOOL): "({0} != 0)", (FLOAT, BOOL): "({0} != 0)",
    (BOOL, FLOAT): "float({0})",
    (TIMESTAMP, TEXT): "(time_text({0}) + '+00')", (LOCAL, TEXT): "time_text({0})", (DATE, TEXT): "date_text({0})",
    (TIMESTAMP, DATE): "({0} // DAY * DAY)",
    (LOCAL, DATE): "({0} // DAY * DAY)",
    (TIMESTAMP, LOCAL): "{0}", (LOCAL, TIMESTAMP): "{0}",
    (JSON, TEXT): "{0}",
}  # fmt: skip
"""Casts that cannot fail."""

PARTIAL = {
    (TEXT, INT): "try_int({0})", (TEXT, FLOAT): "try_float({0})", (TEXT, BOOL): "try_bool({0})",
    (TEXT, TIMESTAMP): "try_time({0})", (TEXT, LOCAL): "try_local({0})", (TEXT, DATE): "try_date({0})",
    (DATE, LOCAL): "moment({0})", (DATE, TIMESTAMP): "moment({0})",
}  # fmt: skip
"""Casts that give None where the value does not read as one."""

READ: dict[str, Callable[[str], Any]] = {
    INT: number_texts.try_int, FLOAT: number_texts.try_float, BOOL: casting.try_bool,
    TIMESTAMP: casting.try_time, LOCAL: casting.try_local, DATE: casting.try_date,
}  # fmt: skip

NAMES = {
    "TEXT": TEXT, "VARCHAR": TEXT, "CHAR": TEXT, "NVARCHAR": TEXT, "NCHAR": TEXT,
    "INT": INT, "BIGINT": INT, "INT128": INT, "UINT128": INT, "SMALLINT": INT, "TINYINT": INT, "UINT": INT,
    "UBIGINT": INT, "USMALLINT": INT, "UTINYINT": INT, "FLOAT": FLOAT, "DOUBLE": FLOAT, "BOOLEAN": BOOL,
    "TIMESTAMPTZ": TIMESTAMP, "TIMESTAMP": LOCAL, "TIMESTAMPNTZ": LOCAL, "DATETIME": LOCAL, "DATE": DATE,
}  # fmt: skip
"""sqlglot's names of the types that a cast may name. REAL is not among them: it would lose digits."""


RANGES = {
    "TINYINT": (-(2**7), 2**7 - 1), "SMALLINT": (-(2**15), 2**15 - 1), "INT": (-(2**31), 2**31 - 1),
    "BIGINT": (-(2**63), 2**63 - 1), "INT128": (-(2**127), 2**127 - 1), "UTINYINT": (0, 2**8 - 1),
    "USMALLINT": (0, 2**16 - 1), "UINT": (0, 2**32 - 1), "UBIGINT": (0, 2**64 - 1), "UINT128": (0, 2**128 - 1),
}  # fmt: skip
"""What the integer types hold; a value beyond is NULL."""


def named(node: exp.DataType) -> str:
    """sqlglot's name of a type."""
    return node.this.value if hasattr(node.this, "value") else str(node.this)


def cast_to(value: Typed, to: exp.DataType, node: exp.Expr, *, attempt: bool) -> Typed:
    """CAST, or TRY_CAST if `attempt`, to the type that is written, within what it holds."""
    type = target(to, node)
    if type == INT:
        return _whole(value, RANGES[named(to)], to, node, attempt)
    if is_scaled(type):
        width = int(to.expressions[0].this.name)
        if value.type == BOOL and types.is_bare(type):
            raise refused(node, f"{short(node)}: a bool has no place after the point", "CAST(… AS INT)")
        found = cast(value, type, node, attempt=attempt, width=width)
        return _within(found, (1 - 10**width, 10**width - 1), to, node, attempt)
    return cast(value, type, node, attempt=attempt)


def _whole(value: Typed, limits: tuple[int, int], to: exp.DataType, node: exp.Expr, attempt: bool) -> Typed:
    if value.type == TEXT and value.literal and value.constant is not None:
        read = number_texts.try_whole(value.constant, *limits)
        if read is None and not attempt:
            raise error(node, f"'{value.constant}' does not read as {to.sql('duckdb')}")
        return Typed(Const(read, INT), INT)
    bounds = f"{limits[0]}, {limits[1]}"
    if value.type == TEXT and not value.literal:
        _attempted(node, INT, attempt=attempt)
        return Typed(Call(f"try_whole({{0}}, {bounds})", (value.expr,), nullable=True), INT)
    if value.type == FLOAT and not (value.literal and value.constant is None):
        least = limits[0] + (limits[0] == -(2**127))  # where DuckDB ends the floats
        return Typed(Call(f"float_to_whole({{0}}, {least}, {limits[1]})", (value.expr,), nullable=True), INT)
    found = cast(value, INT, node, attempt=attempt)
    return found if value.type == BOOL else _within(found, limits, to, node, attempt)


def _within(value: Typed, limits: tuple[int, int], to: exp.DataType, node: exp.Expr, attempt: bool) -> Typed:
    """What a cast gave, or NULL where the type that it named does not hold it."""
    if not value.literal:
        code = f"({{0}} if {limits[0]} <= {{0}} <= {limits[1]} else None)"
        return Typed(Call(code, (value.expr,), nullable=True), value.type)
    if value.constant is None or limits[0] <= value.constant <= limits[1]:
        return value
    if not attempt:
        raise error(node, f"{node.this.name or value.constant} is beyond {short(to)}", "BIGINT")
    return Typed(Const(None, value.type), value.type)


def target(node: exp.DataType, owner: exp.Expr) -> str:
    """The type that a cast names."""
    name = named(node)
    if name == "DECIMAL" and node.expressions:
        said = [part.this.name if isinstance(part.this, exp.Literal) else "" for part in node.expressions]
        width, digits = (int(part) if part.isdigit() and len(part) < 3 else -1 for part in (*said, "0")[:2])
        if not (0 < width <= 38 and 0 <= digits <= width):
            raise refused(owner, f"{short(node)} is no decimal type", "DECIMAL(10, 2)")
        return types.decimal(digits, bare=width == digits)
    if name == "FLOAT" or name not in NAMES or node.expressions:
        known = "TEXT, BIGINT, DOUBLE, BOOLEAN, TIMESTAMP, TIMESTAMPTZ, DATE, DECIMAL(p, s)"
        raise refused(owner, f"casting to {short(node)} is not supported", f"known: {known}")
    return NAMES[name]


def cast(value: Typed, to: str, node: exp.Expr, *, attempt: bool = False, width: int = 38) -> Typed:
    """CAST, or TRY_CAST if `attempt`; `width` are a decimal's digits."""
    if value.type == to:
        return value
    if value.type == NULL or (value.literal and value.constant is None):
        return Typed(Const(None, to), to)
    if value.type == TEXT and value.literal and (to in READ or is_scaled(to)):
        return _read(value, to, node, attempt, width)
    if is_scaled(value.type) or is_scaled(to):
        return _decimal(value, to, node, attempt, width)
    if (value.type, to) == (INTERVAL, TEXT):
        raise refused(node, f"an interval's days and hours are not told apart: {short(node)}", "epoch(x)")
    if code := PLAIN.get((value.type, to)):
        return Typed(fold(Call(code, (value.expr,)), to) if code != "{0}" else value.expr, to)
    if code := PARTIAL.get((value.type, to)):
        if value.type == TEXT:
            _attempted(node, to, attempt=attempt)
        return Typed(Call(code, (value.expr,), nullable=True), to, wild=to == FLOAT)
    raise error(node, f"cannot cast {types.spoken(value.type)} to {types.spoken(to)}")


def is_scaled(type: str) -> bool:
    return types.is_decimal(type)


def _read(value: Typed, to: str, node: exp.Expr, attempt: bool, width: int) -> Typed:
    text, digits = value.constant, types.scale(to)
    read = number_texts.try_decimal(text, width, digits) if is_scaled(to) else READ[to](text)
    if read is None and not attempt:
        raise error(node, f"'{value.constant}' does not read as {types.spoken(to)}")
    return Typed(Const(read, to), to, wild=to == FLOAT and (read is None or not math.isfinite(read)))


def _decimal(value: Typed, to: str, node: exp.Expr, attempt: bool, width: int) -> Typed:
    if types.is_number(value.type) and value.type != FLOAT and types.is_number(to):
        return rescale(value, to)
    digits = types.scale(value.type)
    if to == TEXT:
        code = f"decimal_text({{0}}, {digits}, {int(not types.is_bare(value.type))})"
        return Typed(Call(code, (value.expr,)), TEXT)
    if to == BOOL:
        return Typed(Call("({0} != 0)", (value.expr,)), BOOL)
    if value.type == FLOAT:
        code = f"float_to_decimal({{0}}, {types.scale(to)})"
        return Typed(Call(code, (value.expr,), nullable=True), to)
    if value.type == BOOL:
        return Typed(Call(f"(int({{0}}) * {10 ** types.scale(to)})", (value.expr,)), to)
    if value.type == TEXT:
        _attempted(node, to, attempt=attempt)
        return Typed(Call(f"try_decimal({{0}}, {width}, {types.scale(to)})", (value.expr,), nullable=True), to)
    raise error(node, f"cannot cast {types.spoken(value.type)} to {types.spoken(to)}")


def _attempted(node: exp.Expr, to: str, *, attempt: bool) -> None:
    if not attempt:
        raise refused(
            node, f"casting text to {types.spoken(to)} may fail on a row",
            f"write TRY_CAST({short(node.this)} AS {short(node.args['to'])})",
        )  # fmt: skip


def rescale(value: Typed, to: str) -> Typed:
    """Between int, decimals of any scale, and (from those) float: exact, halves away from zero."""
    if to == FLOAT:
        unit = 10 ** types.scale(value.type)
        code = f"({{0}} / {unit})" if unit > 1 else "float({0})"
        return Typed(fold(Call(code, (value.expr,)), FLOAT), FLOAT)
    shift = types.scale(to) - types.scale(value.type)
    if not shift:
        return Typed(value.expr, to)
    code = f"({{0}} * {10**shift})" if shift > 0 else f"round_scaled({{0}}, {-shift})"
    return Typed(fold(Call(code, (value.expr,)), to), to)


def fold(call: Call, type: str) -> Expr:
    """A call on literals, done now."""
    if not all(isinstance(arg, Const) for arg in call.args):
        return call
    values = [repr(arg.value) for arg in call.args if isinstance(arg, Const)]
    if call.strict and "None" in values:
        return Const(None, type)
    return Const(eval(call.code.format(*values), LITERALS), type)


def to_type(value: Typed, to: str, node: exp.Expr) -> Typed:
    """An implicit conversion to a type that `common` gave."""
    if value.type == to:
        return value
    if value.type == NULL or (value.type == TEXT and value.literal):
        return cast(value, to, node)
    if types.is_number(value.type) and types.is_number(to):
        return rescale(value, to)
    return cast(value, to, node) if value.type == DATE else Typed(value.expr, to, value.wild)


def meet(values: list[Typed], node: exp.Expr, what: str) -> tuple[list[Typed], str]:
    """All values in their common type. A text literal becomes what the others are, as in DuckDB."""
    bare = [v for v in values if not (v.type == TEXT and v.literal)] or values
    merged = bare[0].type
    for value in bare[1:]:
        both = types.common(merged, value.type)
        if both is None:
            left, right = types.spoken(merged), types.spoken(value.type)
            raise error(node, f"{what} of {left} and {right}: {short(node)}", "cast one of them")
        merged = both
    if merged == NULL and len(bare) < len(values):
        merged = TEXT
    if merged not in (TEXT, NULL) and merged not in READ and len(bare) < len(values):
        raise error(node, f"{what} of {types.spoken(merged)} and text: {short(node)}", "cast one of them")
    return [to_type(value, merged, node) for value in values], merged
