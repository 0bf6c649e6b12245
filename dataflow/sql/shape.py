"""Rewriting plans: substitution, and filters moved to where they cost and keep least.

A filter goes below joins (to the side whose columns it reads, where outer rows allow it), below temporal filters,
into unions, and at last into a scan: `type = '…'` over `events` becomes the scan's `kinds`.
"""

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
    Join,
    Map,
    Not,
    Or,
    Pool,
    Rel,
    Scan,
    Timed,
    Union,
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


def conjuncts(expr: Expr) -> tuple[Expr, ...]:
    return expr.args if isinstance(expr, And) else (expr,)


class Shaper:
    """Places filters. `type_column` is the index of `type` in the rows of `events`; None where there is none."""

    def __init__(self, type_column: int | None) -> None:
        self.type_column = type_column

    def filter(self, rel: Rel, test: Expr) -> Rel:
        """Rows of `rel` for which `test` is true."""
        for part in conjuncts(test):
            rel = self._filter(rel, part)
        return rel

    def _filter(self, rel: Rel, test: Expr) -> Rel:
        if test == Const(True, "bool"):
            return rel
        if isinstance(rel, Map):
            return self._into_map(rel, test)
        if isinstance(rel, Timed):
            return Timed(self._filter(rel.input, test), rel.value, rel.op, rel.bound)
        if isinstance(rel, Union):
            return Union(tuple(self._filter(part, test) for part in rel.inputs))
        if isinstance(rel, Join):
            return self._beside(rel, test, self._filter) or Map(rel, (test,), None)
        kinds = self._kinds(rel, test)
        return kinds or Map(rel, (test,), None)

    def _into_map(self, rel: Map, test: Expr) -> Rel:
        inner = through(test, rel.columns) if rel.columns is not None else test
        if rel.where and not isinstance(rel.input, Scan):
            return Map(rel.input, (*rel.where, inner), rel.columns)
        below = self._filter(rel.input, inner)
        if isinstance(below, Map) and below.columns is None and below.input == rel.input:
            return Map(rel.input, (*rel.where, inner), rel.columns)
        return Map(below, rel.where, rel.columns)

    def timed(self, rel: Rel, value: Expr, op: str, bound: Expr) -> Rel:
        """A temporal filter, as low as it goes: what a join keeps then leaves with it."""
        if isinstance(rel, Join):
            found = self._beside(rel, value, lambda side, part: self.timed(side, part, op, bound))
            if found is not None:
                return found
        if isinstance(rel, Map) and rel.columns is not None:
            inner = through(value, rel.columns)
            return Map(
                self.timed(Map(rel.input, rel.where, None) if rel.where else rel.input, inner, op, bound),
                (),
                rel.columns,
            )
        return Timed(rel, value, op, bound)

    def _beside(self, rel: Join, expr: Expr, put: Callable[[Rel, Expr], Rel]) -> Rel | None:
        used, width = columns(expr), rel.widths[0]
        if not used:
            return None
        if max(used) < width and rel.kind in ("inner", "left", "semi", "anti"):
            return _sided(rel, put(rel.left, expr), rel.right)
        if min(used) >= width and rel.kind == "inner":
            return _sided(rel, rel.left, put(rel.right, shifted(expr, -width)))
        return None

    def _kinds(self, rel: Rel, test: Expr) -> Rel | None:
        """The scan of just those event types that `test` asks for."""
        if not isinstance(rel, Scan) or rel.relation != "events" or rel.kinds or self.type_column is None:
            return None
        names = _texts(test, Col(self.type_column))
        return Scan("events", names) if names else None


def _sided(rel: Join, left: Rel, right: Rel) -> Join:
    return Join(rel.kind, left, right, rel.left_keys, rel.right_keys, rel.on, rel.widths)


def _texts(test: Expr, column: Col) -> tuple[str, ...]:
    """The texts that `column` must be one of for `test` to be true; none if the test is not of that form."""
    if not isinstance(test, Call) or len(test.args) != 2 or column not in test.args:
        return ()
    other = test.args[1] if test.args[0] == column else test.args[0]
    if test.code == "{0} == {1}" and isinstance(other, Const) and isinstance(other.value, str):
        return (other.value,)
    if test.code == "{0} in {1}" and isinstance(other, Pool):
        return tuple(sorted({str(value) for value in other.values}))
    return ()
