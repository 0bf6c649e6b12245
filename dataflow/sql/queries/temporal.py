"""Temporal filters: conditions that compare a row's time with the clock, told from the rest of WHERE.

The clock's side may only be made of what never falls while the clock rises.
"""

from __future__ import annotations

from sqlglot import exp

from dataflow.sql.expressions.casts import Typed
from dataflow.sql.expressions.lower import lower
from dataflow.sql.expressions.scope import ClockContext, RowContext
from dataflow.sql.parsing.parse import error, refused, short
from dataflow.sql.plan import types
from dataflow.sql.plan.types import TIMES


def where_parts(node: exp.Expr) -> list[exp.Expr]:
    """The conditions that AND joins; BETWEEN counts as two where the clock is asked."""
    found: list[exp.Expr] = []
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, exp.Paren):
            waiting.append(part.this)
        elif isinstance(part, exp.And):
            waiting += [part.expression, part.this]
        elif isinstance(part, exp.Between) and asks_time(part):
            value, low, high = part.this, part.args["low"], part.args["high"]
            found += [exp.GTE(this=value, expression=low), exp.LTE(this=value.copy(), expression=high)]
        else:
            found.append(part)
    return found


CLOCKS = frozenset({"now", "current_timestamp", "get_current_timestamp"})


def _is_clock(node: exp.Expr) -> bool:
    if isinstance(node, exp.Anonymous):
        return node.name.lower() in CLOCKS
    return isinstance(node, exp.CurrentTimestamp | exp.CurrentDate)


def asks_time(node: exp.Expr) -> bool:
    """Not in its subqueries, which have clocks of their own."""
    return any(_is_clock(part) for part in node.walk(prune=lambda part: isinstance(part, exp.Query)))


TURNED = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "=": "="}
OPS: dict[type[exp.Expr], str] = {exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<=", exp.EQ: "="}
MONOTONE = (
    exp.Add, exp.Sub, exp.Paren, exp.Interval, exp.Cast, exp.Literal, exp.Var, exp.DataType,
)  # fmt: skip
MONOTONE_CALLS = frozenset({"date_trunc", "datetrunc", "time_bucket"})
"""What the clock's side may be made of beside the clock: each never falls while the clock rises."""

FORM = "time > now() - INTERVAL '5 minutes'"


def temporal(node: exp.Expr, context: RowContext) -> list[tuple[Typed, str, Typed]]:
    """Row value, comparison, bound over the clock. Equality is two of them."""
    if type(node) not in OPS:
        raise refused(node, f"now() can only bound a time with > >= < <= = or BETWEEN: {short(node)}", FORM)
    left, right, op = node.this, node.expression, OPS[type(node)]
    if asks_time(left) and asks_time(right):
        raise refused(node, f"now() stands on both sides: {short(node)}", FORM)
    if asks_time(left):
        left, right, op = right, left, TURNED[op]
    left, right, op = _apart(left, right, op)
    _check_bound(right)
    value, bound = lower(left, context), lower(right, ClockContext())
    if value.type not in TIMES or bound.type not in TIMES:
        raise error(node, f"comparison of {types.spoken(value.type)} with the clock: {short(node)}", FORM)
    return [(value, each, bound) for each in ((">=", "<=") if op == "=" else (op,))]


def _apart(row: exp.Expr, clock: exp.Expr, op: str) -> tuple[exp.Expr, exp.Expr, str]:
    """An age, `now() - time` against a constant interval, is a bound on the time: now() − interval."""
    while isinstance(clock, exp.Paren):
        clock = clock.this
    is_age = isinstance(clock, exp.Sub) and asks_time(clock.this) and not asks_time(clock.expression)
    if not is_age or not clock.expression.find(exp.Column) or not isinstance(row, exp.Interval):
        return row, clock, op
    if lower(row, ClockContext()).type == types.MONTHS:
        raise refused(row, f"an age is not compared with months: {short(row)}", "INTERVAL '30 days'")
    return clock.expression, exp.Sub(this=clock.this, expression=row), op


def _check_bound(bound: exp.Expr) -> None:
    """Only what never falls while the clock rises; and the clock itself is never subtracted."""
    for part in bound.walk():
        rises = isinstance(part, MONOTONE) or (isinstance(part, exp.Anonymous) and part.name.lower() in MONOTONE_CALLS)
        if not rises and not _is_clock(part):
            raise refused(part, f"this is not supported beside now(): {short(bound)}", FORM)
        if isinstance(part, exp.Sub) and asks_time(part.expression):
            raise refused(part, f"the clock is subtracted: {short(bound)}", FORM)
