"""Filters moved to where they cost and keep least.

A filter goes below joins (to the side whose columns it reads, where outer rows allow it) or becomes a key of one, and
below temporal filters, into unions, at last into a scan: `type = '…'` over `events` becomes the scan's `kinds`. A
temporal filter goes below joins, and below projections on the way there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dataflow.sql.plan.nodes import (
    AsOf,
    Call,
    Col,
    Const,
    Expr,
    Join,
    Map,
    Pool,
    Rel,
    Scan,
    Timed,
    Union,
    Window,
    replace,
)
from dataflow.sql.plan.prune_columns import prune_columns
from dataflow.sql.plan.rewrite import columns, conjuncts, equality, shifted, through

LEVELS = 24
"""How many projections a filter goes through: at each it is written anew, over what that one computes."""


class FilterPusher:
    """Places filters. `type_column` is the index of `type` in the rows of `events`; None where there is none."""

    def __init__(self, type_column: int | None) -> None:
        self.type_column = type_column
        self._placed: dict[tuple[Rel, Expr, int], Rel] = {}

    def begin(self) -> None:
        """Forget what was placed for the last query."""
        self._placed.clear()

    def filter(self, rel: Rel, test: Expr) -> Rel:
        """Rows of `rel` for which `test` is true."""
        return self.filter_all(rel, conjuncts(test))

    def filter_all(self, rel: Rel, tests: Sequence[Expr]) -> Rel:
        """Rows of `rel` for which all `tests` are true."""
        if isinstance(rel, Scan) and len(tests) > 1:
            return self._of_scan(rel, tests)
        for test in tests:
            rel = self._filter(rel, test)
        return rel

    def _of_scan(self, rel: Scan, tests: Sequence[Expr]) -> Rel:
        rest: list[Expr] = []
        for test in tests:
            kinds = self._kinds(rel, test)
            if kinds is not None:
                rel = kinds
            elif test != Const(True, "bool"):
                rest.append(test)
        return Map(rel, tuple(rest), None) if rest else rel

    def _filter(self, rel: Rel, test: Expr, levels: int = LEVELS) -> Rel:
        """Relations that stand in several places of the plan are asked once."""
        key = rel, test, levels
        if key not in self._placed:
            self._placed[key] = self._place(rel, test, levels)
        return self._placed[key]

    def _place(self, rel: Rel, test: Expr, levels: int) -> Rel:
        if test == Const(True, "bool"):
            return rel
        if isinstance(rel, Map) and levels:
            return self._into_map(rel, test, levels - 1)
        if isinstance(rel, Timed):
            return Timed(self._filter(rel.input, test, levels), rel.value, rel.op, rel.bound)
        if isinstance(rel, Union):
            return Union(tuple([self._filter(part, test, levels) for part in rel.inputs]))
        if isinstance(rel, Join):
            beside = self._beside(rel, test, lambda side, part: self._filter(side, part, levels))
            return beside or _keyed(rel, test) or Map(rel, (test,), None)
        if isinstance(rel, AsOf):
            nearest = self._left_of(rel, test, lambda side, part: self._filter(side, part, levels))
            return nearest or Map(rel, (test,), None)
        if isinstance(rel, Window):
            return Map(_bounded(rel, test), (test,), None)
        kinds = self._kinds(rel, test)
        return kinds or Map(rel, (test,), None)

    def _into_map(self, rel: Map, test: Expr, levels: int) -> Rel:
        inner = through(test, rel.columns) if rel.columns is not None else test
        if rel.where and not isinstance(rel.input, Scan | Join | AsOf):
            return Map(rel.input, (*rel.where, inner), rel.columns)
        below = self._filter(rel.input, inner, levels)
        if isinstance(below, Map) and below.columns is None and below.input == rel.input:
            return Map(rel.input, (*rel.where, inner), rel.columns)
        return Map(below, rel.where, rel.columns)

    def timed(self, rel: Rel, value: Expr, op: str, bound: Expr) -> Rel:
        """A temporal filter, as low as it goes: what a join keeps then leaves with it. Not between the parts of a view
        that keeps rows itself: then its readers share it.
        """
        if isinstance(rel, Join):
            found = self._beside(rel, value, lambda side, part: self.timed(side, part, op, bound))
            if found is not None:
                return found
        if isinstance(rel, AsOf):
            nearest = self._left_of(rel, value, lambda side, part: self.timed(side, part, op, bound))
            if nearest is not None:
                return nearest
        if isinstance(rel, Map) and rel.columns is not None and isinstance(rel.input, Map | Join | AsOf | Scan):
            below = Map(rel.input, rel.where, None) if rel.where else rel.input
            return prune_columns(Map(self.timed(below, through(value, rel.columns), op, bound), (), rel.columns))
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

    def _left_of(self, rel: AsOf, expr: Expr, put: Callable[[Rel, Expr], Rel]) -> Rel | None:
        """Only below the left side: without some of the right rows, others would be nearest."""
        used = columns(expr)
        if not used or max(used) >= rel.widths[0]:
            return None
        return replace(rel, left=put(rel.left, expr))

    def _kinds(self, rel: Rel, test: Expr) -> Scan | None:
        """The scan of just those event types that `test` asks for."""
        if not isinstance(rel, Scan) or rel.relation != "events" or rel.kinds or self.type_column is None:
            return None
        names = _texts(test, Col(self.type_column))
        return Scan("events", names) if names else None


def _keyed(rel: Join, test: Expr) -> Join | None:
    """The join with one more key, where the test is an equality between its sides: FROM a, b WHERE a.x = b.x."""
    pair = equality(test, rel.widths[0]) if rel.kind == "inner" else None
    if pair is None:
        return None
    keys = (*rel.left_keys, pair[0]), (*rel.right_keys, pair[1])
    return Join(rel.kind, rel.left, rel.right, *keys, rel.on, rel.widths)


BOUNDS = frozenset({"{0} <= {1}", "{0} < {1}", "{0} == {1}"})


def _bounded(rel: Window, test: Expr) -> Window:
    """The window, with no more rows of each partition than the test lets pass, where it bounds a row_number or rank."""
    if not isinstance(test, Call) or test.code not in BOUNDS:
        return rel
    left, right = test.args
    if not isinstance(left, Col) or not isinstance(right, Const) or type(right.value) is not int:
        return rel
    at = left.index - rel.width
    if at < 0 or rel.calls[at].kind not in ("row_number", "rank"):
        return rel
    most = max(right.value - (test.code == "{0} < {1}"), 0)
    return replace(rel, most=most if rel.most is None else min(rel.most, most))


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
