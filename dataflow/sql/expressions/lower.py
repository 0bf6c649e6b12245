"""Scalar expressions: sqlglot's nodes to typed plan expressions, one rule a node class. A node without a rule is
refused.

A rule gets the node and a `Context`, which says what columns, aggregates, subqueries and `now()` mean where the
expression stands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from sqlglot import exp

from dataflow.sql.errors import SqlError
from dataflow.sql.expressions import functions, times
from dataflow.sql.expressions.casts import Typed
from dataflow.sql.parsing.parse import error, only, refused, short
from dataflow.sql.plan import types
from dataflow.sql.plan.nodes import Const, Expr
from dataflow.sql.plan.types import BOOL, FLOAT, INT, NULL, TEXT


class Context(Protocol):
    """Where an expression stands."""

    def column(self, node: exp.Column) -> Typed: ...

    def aggregate(self, node: exp.Expr) -> Typed | None:
        """The aggregate that `node` is; None if it is none. Raises SqlError where aggregates cannot be."""

    def now(self, node: exp.Expr) -> Typed: ...

    def subquery(self, node: exp.Expr) -> Typed: ...


Rule = Callable[[exp.Expr, Context], Typed]
LeftRule = Callable[[exp.Expr, Typed, Context], Typed]
RULES: dict[type[exp.Expr], Rule] = {}
LEFT: dict[type[exp.Expr], LeftRule] = {}
"""Rules of what stands in long chains, `a + b + c`: they get what the chain up to there is."""


def rule(*kinds: type[exp.Expr]) -> Callable[[Rule], Rule]:
    def note(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(kinds, function))
        return function

    return note


def left_rule(*kinds: type[exp.Expr]) -> Callable[[LeftRule], LeftRule]:
    """The rule of a node whose left side, `this`, is lowered where the node itself stands."""

    def note(function: LeftRule) -> LeftRule:
        LEFT.update(dict.fromkeys(kinds, function))
        return function

    return note


NAMED: dict[str, Rule] = {}
"""Rules of functions that come as plain calls, by their names."""


def named(*names: str) -> Callable[[Rule], Rule]:
    def note(function: Rule) -> Rule:
        NAMED.update(dict.fromkeys(names, function))
        return function

    return note


class _Lacking(Exception):
    """A function was given fewer values than its rule reads."""


def lower(node: exp.Expr, context: Context) -> Typed:
    """The one entry: any scalar expression. A chain is followed to its beginning, not descended into."""
    chain: list[exp.Expr] = []
    while type(node) in LEFT and node.this is not None:
        chain.append(node)
        node = node.this
    value = _checked(_lowered, node, context)
    for part in reversed(chain):
        value = _checked(LEFT[type(part)], part, value, context)
    return value


def _checked(work: Callable[..., Typed], node: exp.Expr | None, *given: Any) -> Typed:
    """What `work` gives. A failure of ours is told with the place where it happened, and is the error's cause."""
    if node is None:
        raise _Lacking
    try:
        return work(node, *given)
    except _Lacking:
        raise error(node, f"{_called(node)} is given too few values: {short(node)}") from None
    except (SqlError, RecursionError, MemoryError):
        raise
    except Exception as failure:
        raise failed(node, failure) from failure


def failed(node: exp.Expr, failure: Exception) -> SqlError:
    said = " ".join(str(failure).split())[:100]
    return refused(node, f"{short(node)} cannot be compiled ({type(failure).__name__}: {said})", "please report it")


def _lowered(node: exp.Expr, context: Context) -> Typed:
    found = context.aggregate(node)
    if found is not None:
        return found
    if type(node) in functions.CLASSES:
        return _catalogued(node, context)
    known = RULES.get(type(node))
    if known is None:
        raise refused(node, f"{_called(node)} is not supported: {short(node)}")
    return known(node, context)


def condition(node: exp.Expr, context: Context, where: str) -> Expr:
    """A boolean."""
    value = lower(node, context)
    if value.type == NULL:
        return Const(None, BOOL)
    if value.type != BOOL:
        raise error(node, f"{where} must be true or false, not {types.spoken(value.type)}: {short(node)}")
    return value.expr


def _called(node: exp.Expr) -> str:
    if isinstance(node, exp.Func):
        return f"function '{node.sql_name().lower()}'"
    return type(node).__name__


@left_rule(exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor)
def bits(node: exp.Expr, left: Typed, context: Context) -> Typed:
    only(node, "this", "expression")
    return functions.call(functions.CLASSES[type(node)][0], [left, lower(node.expression, context)], node)


def _catalogued(node: exp.Expr, context: Context) -> Typed:
    name, parts = functions.CLASSES[type(node)]
    only(node, *parts)
    args = [node.args[part] for part in parts if node.args.get(part) is not None]
    return functions.call(name, [lower(arg, context) for arg in args], node)


# literals and names


@rule(exp.Literal)
def literal(node: exp.Expr, context: Context) -> Typed:
    text = node.name
    if node.args.get("is_string"):
        return Typed(Const(text, TEXT), TEXT)
    if "e" in text.lower():
        if text[-1] in "eE+-":
            raise error(node, f"the number {text} has no exponent", "1e20")
        return Typed(Const(float(text), FLOAT), FLOAT)
    if "." in text:
        return _decimal(text)
    if len(text.lstrip("0")) > 19 or int(text) >= 2**63:
        raise refused(node, f"the number {text[:40]} is beyond 64 bits", "write it as a float: 1e20")
    return Typed(Const(int(text), INT), INT)


def _decimal(text: str) -> Typed:
    """A decimal as long as it has 38 digits at most, else a float, as in DuckDB."""
    whole, _, fraction = text.replace("_", "").partition(".")
    if len(whole) + len(fraction) > 38:
        return Typed(Const(float(text), FLOAT), FLOAT)
    kind = types.decimal(len(fraction), bare=not whole)
    return Typed(Const(int(whole + fraction), kind), kind)


@rule(exp.Boolean)
def boolean(node: exp.Expr, context: Context) -> Typed:
    return Typed(Const(bool(node.this), BOOL), BOOL)


@rule(exp.Null)
def null(node: exp.Expr, context: Context) -> Typed:
    return Typed(Const(None, NULL), NULL)


@rule(exp.Interval)
def interval(node: exp.Expr, context: Context) -> Typed:
    assert isinstance(node, exp.Interval)
    if isinstance(node.args.get("unit"), exp.IntervalSpan):
        raise refused(node, f"one unit at a time: {short(node)}", "INTERVAL '01:30:00'")
    inner = times.bare_interval(node)
    return times.interval(node) if isinstance(inner, exp.Literal) else times.counted(lower(inner, context), node)


@rule(exp.Column)
def column(node: exp.Expr, context: Context) -> Typed:
    assert isinstance(node, exp.Column)
    return context.column(node)


@left_rule(exp.Paren)
def paren(node: exp.Expr, inner: Typed, context: Context) -> Typed:
    return inner


@rule(exp.Window)
def window(node: exp.Expr, context: Context) -> Typed:
    raise refused(node, f"a window function is not supported here: {short(node)}", "QUALIFY, or a subquery in FROM")


@rule(exp.Subquery, exp.Exists)
def subquery(node: exp.Expr, context: Context) -> Typed:
    return context.subquery(node)
