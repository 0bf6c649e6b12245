"""How a value of one type becomes another: implicit meetings of types, CAST and TRY_CAST.

A CAST that can fail on a row (text to a number) would stop a live query, so it is refused in favour of TRY_CAST; on a
literal it is done once, here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from sqlglot import exp

from dataflow.sql import reading, types
from dataflow.sql.parse import error, refused, short
from dataflow.sql.plan import Call, Const, Expr
from dataflow.sql.types import BOOL, DATE, FLOAT, INT, INTERVAL, JSON, LOCAL, NULL, TEXT, TIMESTAMP
from dataflow.sql.vocabulary import WORDS

LITERALS = {**WORDS, "nan": math.nan, "inf": math.inf}
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
    (TIMESTAMP, LOCAL): "{0}", (LOCAL, TIMESTAMP): "{0}", (DATE, LOCAL): "{0}", (DATE, TIMESTAMP): "{0}",
    (JSON, TEXT): "{0}",
}  # fmt: skip
"""Casts that cannot fail."""

PARTIAL = {
    (TEXT, INT): "try_int({0})", (TEXT, FLOAT): "try_float({0})", (TEXT, BOOL): "try_bool({0})",
    (TEXT, TIMESTAMP): "try_time({0})", (TEXT, LOCAL): "try_local({0})", (TEXT, DATE): "try_date({0})",
}  # fmt: skip
"""Casts that give None where the value does not read as one."""

READ: dict[str, Callable[[str], Any]] = {
    INT: reading.try_int, FLOAT: reading.try_float, BOOL: reading.try_bool,
    TIMESTAMP: reading.try_time, LOCAL: reading.try_local, DATE: reading.try_date,
}  # fmt: skip

NAMES = {
    "TEXT": TEXT, "VARCHAR": TEXT, "CHAR": TEXT, "NVARCHAR": TEXT, "NCHAR": TEXT,
    "INT": INT, "BIGINT": INT, "INT128": INT, "SMALLINT": INT, "TINYINT": INT, "UINT": INT, "UBIGINT": INT,
    "USMALLINT": INT, "UTINYINT": INT, "FLOAT": FLOAT, "DOUBLE": FLOAT, "BOOLEAN": BOOL,
    "TIMESTAMPTZ": TIMESTAMP, "TIMESTAMP": LOCAL, "TIMESTAMPNTZ": LOCAL, "DATETIME": LOCAL, "DATE": DATE,
}  # fmt: skip
"""sqlglot's names of the types that a cast may name. REAL is not among them: it would lose digits."""


RANGES = {
    "TINYINT": (-(2**7), 2**7 - 1), "SMALLINT": (-(2**15), 2**15 - 1), "INT": (-(2**31), 2**31 - 1),
    "UTINYINT": (0, 2**8 - 1), "USMALLINT": (0, 2**16 - 1), "UINT": (0, 2**32 - 1), "UBIGINT": (0, 2**64 - 1),
}  # fmt: skip
"""What the integer types hold that do not hold all of ours; a value beyond is NULL."""


def _named(node: exp.DataType) -> str:
    return node.this.value if hasattr(node.this, "value") else str(node.this)


def narrowed(value: Typed, to: exp.DataType, node: exp.Expr, *, attempt: bool) -> Typed:
    """What a cast gave, within the range of the integer or decimal type that it named."""
    held = _range(to)
    if held is None or not (value.type == INT or is_scaled(value.type)) or isinstance(node.this, exp.Boolean):
        return value
    if not value.literal:
        code = f"within({{0}}, {held[0]}, {held[1]})"
        return Typed(Call(code, (value.expr,), nullable=True), value.type)
    if value.constant is None or held[0] <= value.constant <= held[1]:
        return value
    if not attempt:
        raise error(node, f"{node.this.name or value.constant} is beyond {short(to)}", "BIGINT")
    return Typed(Const(None, value.type), value.type)


def _range(to: exp.DataType) -> tuple[int, int] | None:
    name = _named(to)
    if name != "DECIMAL":
        return RANGES.get(name)
    most = 10 ** int(to.expressions[0].this.name) - 1
    return -most, most


def target(node: exp.DataType, owner: exp.Expr) -> str:
    """The type that a cast names."""
    name = _named(node)
    if name == "DECIMAL" and node.expressions:
        said = [part.this.name if isinstance(part.this, exp.Literal) else "" for part in node.expressions]
        width, digits = (int(part) if part.isdigit() and len(part) < 3 else -1 for part in (*said, "0")[:2])
        if not (0 < width <= 38 and 0 <= digits <= width):
            raise refused(owner, f"{short(node)} is no decimal type", "DECIMAL(10, 2)")
        return types.decimal(digits)
    if name == "FLOAT" or name not in NAMES or node.expressions:
        known = "TEXT, BIGINT, DOUBLE, BOOLEAN, TIMESTAMP, TIMESTAMPTZ, DATE, DECIMAL(p, s)"
        raise refused(owner, f"casting to {short(node)} is not supported", f"known: {known}")
    return NAMES[name]


def cast(value: Typed, to: str, node: exp.Expr, *, attempt: bool = False) -> Typed:
    """CAST, or TRY_CAST if `attempt`."""
    if value.type == to:
        return value
    if value.type == NULL or (value.literal and value.constant is None):
        return Typed(Const(None, to), to)
    if value.type == TEXT and value.literal and (to in READ or is_scaled(to)):
        return _read(value, to, node, attempt)
    if is_scaled(value.type) or is_scaled(to):
        return _decimal(value, to, node, attempt)
    if (value.type, to) == (FLOAT, INT):
        return Typed(Call("float_to_int({0})", (value.expr,), nullable=True), INT)
    if (value.type, to) == (INTERVAL, TEXT):
        raise refused(node, f"an interval's days and hours are not told apart: {short(node)}", "epoch(x)")
    if code := PLAIN.get((value.type, to)):
        return Typed(fold(Call(code, (value.expr,)), to) if code != "{0}" else value.expr, to)
    if code := PARTIAL.get((value.type, to)):
        _attempted(node, to, attempt=attempt)
        return Typed(Call(code, (value.expr,), nullable=True), to, wild=to == FLOAT)
    raise error(node, f"cannot cast {types.spoken(value.type)} to {types.spoken(to)}")


def is_scaled(type: str) -> bool:
    return types.is_decimal(type)


def _read(value: Typed, to: str, node: exp.Expr, attempt: bool) -> Typed:
    read = reading.try_decimal(value.constant, types.scale(to)) if is_scaled(to) else READ[to](value.constant)
    if read is None and not attempt:
        raise error(node, f"'{value.constant}' does not read as {types.spoken(to)}")
    return Typed(Const(read, to), to, wild=to == FLOAT and (read is None or not math.isfinite(read)))


def _decimal(value: Typed, to: str, node: exp.Expr, attempt: bool) -> Typed:
    if types.is_number(value.type) and value.type != FLOAT and types.is_number(to):
        return rescale(value, to)
    digits = types.scale(value.type)
    if to == TEXT:
        return Typed(Call(f"decimal_text({{0}}, {digits})", (value.expr,)), TEXT)
    if to == BOOL:
        return Typed(Call("({0} != 0)", (value.expr,)), BOOL)
    if value.type == FLOAT:
        code = f"float_to_decimal({{0}}, {types.scale(to)})"
        return Typed(Call(code, (value.expr,), nullable=True), to)
    if value.type == BOOL:
        return Typed(Call(f"(int({{0}}) * {10 ** types.scale(to)})", (value.expr,)), to)
    if value.type == TEXT:
        _attempted(node, to, attempt=attempt)
        return Typed(Call(f"try_decimal({{0}}, {types.scale(to)})", (value.expr,), nullable=True), to)
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
    return Typed(value.expr, to, value.wild)


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
