"""Rewriting expressions: substitution, and which columns they read. Each part of the graph is looked at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dataflow.sql.budget import spend
from dataflow.sql.plan.nodes import (
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
    Pool,
    Slot,
)  # fmt: skip

Swap = Callable[[Expr], Expr | None]
Done = dict[Expr, Expr]
"""What parts have become, for several expressions that are rewritten alike."""
_OF_MANY = (Call, And, Or, Coalesce)
_OF_ONE = (Not, IsNull)
LEAVES = (Col, Const, Pool, Slot)
"""Expressions without operands. (As tuples: to make a union for each question takes longer than to answer it.)"""


def operands(expr: Expr) -> tuple[Expr, ...]:
    """The expressions that stand directly in one, in order."""
    if isinstance(expr, LEAVES):
        return ()
    if isinstance(expr, _OF_MANY):
        return expr.args
    if isinstance(expr, _OF_ONE):
        return (expr.arg,)
    if isinstance(expr, Case):
        return (*[part for when in expr.whens for part in when], expr.default)
    return ()


def rebuilt(expr: Expr, parts: tuple[Expr, ...]) -> Expr:
    """The expression with other operands, as many as it has."""
    if isinstance(expr, Call):
        return Call(expr.code, parts, expr.strict, expr.nullable)
    if isinstance(expr, _OF_MANY):
        return type(expr)(parts)
    if isinstance(expr, _OF_ONE):
        return type(expr)(parts[0])
    if isinstance(expr, Case):
        return Case(tuple(zip(parts[:-1:2], parts[1::2], strict=True)), parts[-1])
    return expr


def replace(expr: Expr, swap: Swap, done: Done | None = None) -> Expr:
    """`expr` with every part for which `swap` gives something else, from the top down. `swap` is asked once a part."""
    done = {} if done is None else done
    if not operands(expr):
        other = swap(expr)
        return expr if other is None else other
    stack: list[tuple[Expr, tuple[Expr, ...] | None]] = [(expr, None)]
    while stack:
        part, opened = stack.pop()
        if opened is not None:
            parts = tuple([done[operand] for operand in opened])
            done[part] = part if parts == opened else rebuilt(part, parts)
        elif part not in done:
            other = swap(part)
            inner = () if other is not None else operands(part)
            if not inner:
                done[part] = part if other is None else other
                continue
            stack.append((part, inner))
            stack += [(operand, None) for operand in reversed(inner)]
    spend(len(done))
    return done[expr]


def columns(*exprs: Expr) -> set[int]:
    """The indices of all columns in the expressions."""
    found: set[int] = set()
    seen: set[Expr] = set()
    stack = list(exprs)
    while stack:
        expr = stack.pop()
        if isinstance(expr, Col):
            found.add(expr.index)
        elif expr not in seen:
            seen.add(expr)
            stack += operands(expr)
    spend(len(seen))
    return found


def shifted(expr: Expr, by: int) -> Expr:
    return replace(expr, lambda e: Col(e.index + by) if isinstance(e, Col) else None)


def through(expr: Expr, outputs: tuple[Expr, ...], done: Done | None = None) -> Expr:
    """`expr` over a projection's rows, as an expression over the projection's input."""
    return replace(expr, lambda e: outputs[e.index] if isinstance(e, Col) else None, done)


def all_through(exprs: Iterable[Expr], outputs: tuple[Expr, ...]) -> tuple[Expr, ...]:
    done: Done = {}
    return tuple([through(expr, outputs, done) for expr in exprs])


def collected(expr: Expr, made: list[Expr]) -> Expr:
    """The expression over `made`, to which its largest parts without a slot are added. So an aggregate's cell, which
    may be no value that a row can hold, never stands in a row by itself.
    """
    waiting = _around_slots(expr)

    def pick(part: Expr) -> Expr | None:
        if isinstance(part, Const) or part in waiting:
            return None
        if part not in made:
            made.append(part)
        return Col(made.index(part))

    return replace(expr, pick)


def slots(expr: Expr) -> list[Slot]:
    """The slots in the expression."""
    return [part for part in _around_slots(expr) if isinstance(part, Slot)]


def _around_slots(expr: Expr) -> set[Expr]:
    """The slots of an expression, and the parts that hold one."""
    found: set[Expr] = set()
    seen: set[Expr] = set()
    stack: list[tuple[Expr, bool]] = [(expr, False)]
    while stack:
        part, opened = stack.pop()
        if opened:
            if any(operand in found for operand in operands(part)):
                found.add(part)
        elif part not in seen:
            seen.add(part)
            if isinstance(part, Slot):
                found.add(part)
            stack.append((part, True))
            stack += [(operand, False) for operand in operands(part)]
    return found


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
