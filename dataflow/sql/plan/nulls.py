"""Which expressions may be NULL, and which always are, on the rows that are looked at."""

from __future__ import annotations

from collections.abc import Iterable

from dataflow.sql.plan.nodes import And, Call, Case, Coalesce, Col, Const, Expr, IsNull, Not, Slot
from dataflow.sql.plan.rewrite import LEAVES, operands

_READ = (Col, Slot)
"""What a row gives."""


class Nulls:
    """`nonnull` are the columns that are known not to be NULL here; more become so where tests have been passed."""

    def __init__(self, nonnull: Iterable[int] = ()) -> None:
        self._nonnull: set[Expr] = {Col(index) for index in nonnull}
        self._known: dict[Expr, tuple[bool, bool]] = {}

    def learn(self, tests: tuple[Expr, ...]) -> None:
        """These tests are true from here on."""
        columns = proven(tests)
        if not columns <= self._nonnull:
            self._nonnull |= columns
            self._known.clear()

    def nullable(self, expr: Expr) -> bool:
        """Whether it may be NULL."""
        return expr not in self._nonnull if isinstance(expr, _READ) else self._of(expr)[0]

    def void(self, expr: Expr) -> bool:
        """Whether it is NULL whatever the row."""
        return self._of(expr)[1]

    def _of(self, expr: Expr) -> tuple[bool, bool]:
        known = self._known
        if expr in known:
            return known[expr]
        stack = [expr]
        while stack:
            part = stack[-1]
            if part in known or isinstance(part, LEAVES):
                stack.pop()
                known[part] = self._leaf(part) if part not in known else known[part]
                continue
            inner = operands(part)
            missing = [each for each in inner if each not in known]
            if missing:
                stack += missing
            else:
                stack.pop()
                known[part] = self._decide(part, [known[each] for each in inner])
        return known[expr]

    def _leaf(self, expr: Expr) -> tuple[bool, bool]:
        if isinstance(expr, Const):
            return expr.value is None, expr.value is None
        return isinstance(expr, _READ) and expr not in self._nonnull, False

    @staticmethod
    def _decide(expr: Expr, inner: list[tuple[bool, bool]]) -> tuple[bool, bool]:
        """From what is known of its operands."""
        if isinstance(expr, IsNull):
            return False, False
        if isinstance(expr, Call):
            void = expr.strict and any(each[1] for each in inner)
            return expr.nullable or void or (expr.strict and any(each[0] for each in inner)), void
        if isinstance(expr, Coalesce):
            return all(each[0] for each in inner), False
        if isinstance(expr, Case):
            return any(each[0] for each in (*inner[1::2], inner[-1])), False
        return any(each[0] for each in inner), False


def proven(tests: tuple[Expr, ...]) -> set[Expr]:
    """Columns that cannot be NULL where all tests are true."""
    found: set[Expr] = set()
    waiting = list(tests)
    while waiting:
        test = waiting.pop()
        if isinstance(test, Not) and isinstance(test.arg, IsNull) and isinstance(test.arg.arg, _READ):
            found.add(test.arg.arg)
        elif isinstance(test, And):
            waiting += test.args
        elif isinstance(test, Call) and test.strict:
            found |= {arg for arg in test.args if isinstance(arg, _READ)}
        elif isinstance(test, Not) and isinstance(test.arg, Call):
            waiting.append(test.arg)
    return found


