"""Temporal filters: conditions that compare a row's time with the clock, told from the rest of WHERE.

The clock's side may only be made of what never falls while the clock rises.
"""

from __future__ import annotations

from sqlglot import exp

from dataflow.sql import types
from dataflow.sql.casts import Typed
from dataflow.sql.expressions import lower
from dataflow.sql.parse import error, refused, short
from dataflow.sql.scope import ClockContext, RowContext
from dataflow.sql.types import TIMES


def where_parts(node: exp.Expr) -> list[exp.Expr]:
    """The conditions that AND joins; BETWEEN counts as two where the clock is asked."""
    if isinstance(node, exp.Paren):
        return where_parts(node.this)
    if isinstance(node, exp.And):
        return where_parts(node.this) + where_parts(node.expression)
    if isinstance(node, exp.Between) and asks_time(node):
        value, low, high = node.this, node.args["low"], node.args["high"]
        return [exp.GTE(this=value, expression=low), exp.LTE(this=value.copy(), expression=high)]
    return [node]


def asks_time(node: exp.Expr) -> bool:
    clocks = ("now", "current_timestamp", "get_current_timestamp")
    return any(
        isinstance(n, exp.CurrentTimestamp | exp.CurrentDate)
        or (isinstance(n, exp.Anonymous) and n.name.lower() in clocks)
        for n in node.walk()
    )


TURNED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
OPS: dict[type[exp.Expr], str] = {exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<="}
MONOTONE = (
    exp.Add, exp.Sub, exp.Paren, exp.Interval, exp.Anonymous, exp.CurrentTimestamp, exp.CurrentDate, exp.Cast,
    exp.TimestampTrunc,
    exp.DateTrunc, exp.DateBin, exp.Literal, exp.Var, exp.DataType,
)  # fmt: skip
"""What the clock's side may be made of: each never falls while the clock rises."""


def temporal(node: exp.Expr, context: RowContext) -> list[tuple[Typed, str, Typed]]:
    """Row value, comparison, bound over the clock."""
    form = "time > now() - INTERVAL '5 minutes'"
    if type(node) not in OPS:
        raise refused(node, f"now() can only bound a time with > >= < <= or BETWEEN: {short(node)}", form)
    left, right, op = node.this, node.expression, OPS[type(node)]
    if asks_time(left) and asks_time(right):
        raise refused(node, f"now() stands on both sides: {short(node)}", form)
    if asks_time(left):
        left, right, op = right, left, TURNED[op]
    for part in right.walk():
        if not isinstance(part, MONOTONE):
            raise refused(part, f"this is not supported beside now(): {short(right)}", form)
    if isinstance(right, exp.Sub) and asks_time(right.expression):
        raise refused(right, f"the clock is subtracted: {short(right)}", form)
    value, bound = lower(left, context), lower(right, ClockContext())
    if value.type not in TIMES or bound.type not in TIMES:
        raise error(node, f"comparison of {types.spoken(value.type)} with the clock: {short(node)}", form)
    return [(value, op, bound)]
