"""The types of the dialect and how they meet. A type is a short text.

Beside the seven types that columns have (`dataflow/zset.py`) there are, inside a query, DuckDB's `date` (microseconds
at midnight), `local` (a timestamp without time zone), `decimalN` (an int scaled by 10**N: 1.5 is decimal1 15; with an f
after N there are no digits before the point), `null` (the type of a bare NULL) and `months` (an interval of months,
which have no length: a constant 'months micros', else a whole number of months). `shown` is the type that leaves the
engine.
"""

from __future__ import annotations

TEXT, INT, FLOAT, BOOL = "text", "int", "float", "bool"
TIMESTAMP, LOCAL, DATE, INTERVAL, MONTHS = "timestamp", "local", "date", "interval", "months"
JSON, NULL = "json", "null"

COLUMN_TYPES = frozenset({TEXT, INT, FLOAT, BOOL, TIMESTAMP, INTERVAL, JSON})
TIMES = frozenset({TIMESTAMP, LOCAL, DATE})

DUCKDB = {
    TEXT: "VARCHAR", INT: "BIGINT", FLOAT: "DOUBLE", BOOL: "BOOLEAN", TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
    INTERVAL: "INTERVAL", JSON: "JSON",
}  # fmt: skip
"""What DuckDB calls the column types."""


def decimal(scale: int, *, bare: bool = False) -> str:
    """`bare`: without a digit before the point, which shows in its text."""
    return f"decimal{scale}{'f' * bare}"


def is_bare(type: str) -> bool:
    return is_decimal(type) and type.endswith("f")


def wide(type: str) -> str:
    """A decimal with digits before the point; any other type as it is."""
    return type[:-1] if is_bare(type) else type


def is_decimal(type: str) -> bool:
    return type.startswith("decimal")


def scale(type: str) -> int:
    """Digits after the point; 0 for an int."""
    return int(wide(type)[7:]) if is_decimal(type) else 0


def is_number(type: str) -> bool:
    return type in (INT, FLOAT) or is_decimal(type)


def shown(type: str) -> str:
    """The column type under which a value leaves the engine."""
    if is_decimal(type):
        return FLOAT
    return {LOCAL: TIMESTAMP, DATE: TIMESTAMP, NULL: TEXT}.get(type, type)


def spoken(type: str) -> str:
    """For messages."""
    if is_decimal(type):
        return "decimal"
    return {LOCAL: "timestamp without time zone", MONTHS: "interval in months"}.get(type, type)


def common(left: str, right: str) -> str | None:
    """The type that both fit into without a cast in SQL, or None."""
    if left == right:
        return left
    if NULL in (left, right):
        return left if right == NULL else right
    if is_number(left) and is_number(right):
        bare = is_bare(left) and is_bare(right)
        return FLOAT if FLOAT in (left, right) else decimal(max(scale(left), scale(right)), bare=bare)
    if left in TIMES and right in TIMES:
        return TIMESTAMP if TIMESTAMP in (left, right) else LOCAL
    return None
