"""Rewriting expressions: substitution, and which columns they read."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dataflow.sql.plan import (
    And,
    Call,
    Case,
    Coalesce,
    Col,
    Const,
    Expr,
    IsNull,
    Not,
    Or,
)  # fmt: skip

Swap = Callable[[Expr], Expr | None]


def replace(expr: Expr, swap: Swap) -> Expr:
    """`expr` with every part for which `swap` gives something else, from the top down."""
    other = swap(expr)
    if other is not None:
        return other
    if isinstance(expr, Call):
        return Call(expr.code, _all(expr.args, swap), expr.strict, expr.nullable)
    if isinstance(expr, And | Or | Coalesce):
        return type(expr)(_all(expr.args, swap))
    if isinstance(expr, Not | IsNull):
        return type(expr)(replace(expr.arg, swap))
    if isinstance(expr, Case):
        whens = tuple((replace(when, swap), replace(value, swap)) for when, value in expr.whens)
        return Case(whens, replace(expr.default, swap))
    return expr


def _all(exprs: Iterable[Expr], swap: Swap) -> tuple[Expr, ...]:
    return tuple(replace(expr, swap) for expr in exprs)


def columns(*exprs: Expr) -> set[int]:
    """The indices of all columns in the expressions."""
    found: set[int] = set()

    def note(expr: Expr) -> Expr | None:
        if isinstance(expr, Col):
            found.add(expr.index)
        return None

    for expr in exprs:
        replace(expr, note)
    return found


def shifted(expr: Expr, by: int) -> Expr:
    return replace(expr, lambda e: Col(e.index + by) if isinstance(e, Col) else None)


def through(expr: Expr, outputs: tuple[Expr, ...]) -> Expr:
    """`expr` over a projection's rows, as an expression over the projection's input."""
    return replace(expr, lambda e: outputs[e.index] if isinstance(e, Col) else None)


def collected(expr: Expr, made: list[Expr], later: int) -> Expr:
    """The expression over `made`, to which its largest parts are added in which no column is from `later` on. So an
    aggregate's cell, which may be no value that a row can hold, never stands in a row by itself.
    """

    def pick(part: Expr) -> Expr | None:
        if isinstance(part, Const) or any(column >= later for column in columns(part)):
            return None
        if part not in made:
            made.append(part)
        return Col(made.index(part))

    return replace(expr, pick)


def conjuncts(expr: Expr) -> tuple[Expr, ...]:
    return expr.args if isinstance(expr, And) else (expr,)


def equality(test: Expr, width: int) -> tuple[Expr, Expr] | None:
    """The two keys, if the test over two rows is an equality between them; `width` is the first one's."""
    if not isinstance(test, Call) or not test.code.startswith(("{0} == {1}", "({0} == {1} or")) or not test.strict:
        return None
    first, second = test.args
    one, two = columns(first), columns(second)
    if not one or not two:
        return None
    if max(one) < width <= min(two):
        return first, shifted(second, -width)
    if max(two) < width <= min(one):
        return second, shifted(first, -width)
    return None
